"""Carrying out the trainings and evaluations of classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.recipes import configured
from hfcbench.results.records import TrainingRecord
from hfcbench.runner.artifacts import save_checkpoint_of, save_labels_of
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.parts import Parts
from hfcbench.runner.recording import Started, curve_points, training_record
from hfcbench.runner.specification import TrainingSpecification
from hfcbench.runner.tasks import TrainingTask

if TYPE_CHECKING:
    import torch

    from hfcbench.evaluation.cells import Cell, CellFailure, CellResult
    from hfcbench.training.job import TrainingJob
    from hfcbench.types import Predictions


@dataclass(frozen=True)
class Classifying:
    """Trains classifiers and asks them, on one device."""

    parts: Parts
    datasets: DatasetAccess
    artifacts: Path
    device: str

    def train(self, task: TrainingTask, advance: Callable[[float], None]) -> TrainingRecord:
        """Train one model; its checkpoint and labels lie in ``artifacts`` after that."""
        from hfcbench.training.loop import train

        specification = task.specification
        started = Started(self.device)
        result = train(self._job(task), lambda epoch, epochs: advance(epoch / epochs))
        whole = self.datasets.split(specification.dataset, "train", None)
        positions = whole.choice(specification.samples)
        return training_record(
            specification,
            started,
            checkpoint=save_checkpoint_of(task, result.module, self.artifacts),
            curve=curve_points(task, result.curve),
            epochs=result.recipe.schedule.epochs,
            parameter_count=result.parameter_count,
            curve_seconds=result.curve_seconds,
            labels=save_labels_of(task, result, positions, self.artifacts),
        )

    def _job(self, task: TrainingTask) -> TrainingJob:
        import torch

        from hfcbench.training.job import TrainingJob

        specification = task.specification
        dataset = specification.dataset
        return TrainingJob(
            train=self.datasets.split(dataset, "train", specification.samples),
            test=self.datasets.split(dataset, "test", None),
            shape=dataset.shape,
            classes=dataset.classes,
            model=self.parts.made(specification.model),
            heuristics=self.parts.heuristics(specification),
            schedule=specification.schedule,
            component=self.parts.component(specification.component),
            seed=specification.seed,
            curve=self.parts.views(task.curve),
            curve_samples=task.curve.samples,
            device=torch.device(self.device),
        )

    def built(self, training: TrainingSpecification) -> torch.nn.Module:
        """The model of a training, with any weights."""
        recipe = configured(training.schedule, self.parts.heuristics(training))
        dataset = training.dataset
        model: torch.nn.Module = self.parts.made(training.model).build(
            dataset.shape, dataset.classes, recipe.options
        )
        return model

    def answers(
        self,
        model: torch.nn.Module,
        training: TrainingSpecification,
        split: str,
        cells: Sequence[Cell],
        on_batch: Callable[[int, int], None],
    ) -> dict[str, CellResult[Predictions] | CellFailure]:
        """What the model answers in every cell, from one pass over the images of a split."""
        import torch

        from hfcbench.evaluation.engine import evaluate

        return evaluate(
            model,
            self.datasets.split(training.dataset, split, None),
            cells,
            device=torch.device(self.device),
            seed=training.seed,
            on_batch=on_batch,
        )

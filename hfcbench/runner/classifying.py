"""Carrying out the trainings and evaluations of classifiers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.recipes import configured
from hfcbench.results.records import EvaluationRecord, FailureRecord, TrainingRecord
from hfcbench.runner.artifacts import save_checkpoint_of, save_labels_of
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.parts import Parts
from hfcbench.runner.recording import (
    Started,
    curve_points,
    evaluation_record,
    failure,
    score,
    training_record,
)
from hfcbench.runner.specification import EvaluationSpecification, TrainingSpecification
from hfcbench.runner.tasks import EvaluationTask, TrainingTask

if TYPE_CHECKING:
    import torch

    from hfcbench.training.job import TrainingJob


@dataclass(frozen=True)
class Classifying:
    """Trains and evaluates classifiers on one device."""

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

    def evaluate(
        self,
        model: torch.nn.Module,
        task: EvaluationTask,
        group: Sequence[EvaluationSpecification],
        on_batch: Callable[[int, int], None],
    ) -> tuple[list[EvaluationRecord], list[FailureRecord]]:
        """Evaluations on one split, in one pass over its images."""
        import torch

        from hfcbench.evaluation.cells import CellResult
        from hfcbench.evaluation.engine import evaluate

        started_at, start = datetime.now(UTC), time.perf_counter()
        cells = {specification.identity: self.parts.cell(specification) for specification in group}
        answers = evaluate(
            model,
            self.datasets.split(task.training.dataset, group[0].split, None),
            list(cells.values()),
            device=torch.device(self.device),
            seed=task.training.seed,
            on_batch=on_batch,
        )
        seconds = (time.perf_counter() - start) / len(group)
        metrics = {metric: self.parts.made(metric) for metric in task.metrics}
        records, failed = [], []
        for specification in group:
            answer = answers[specification.identity]
            if isinstance(answer, CellResult):
                attack = cells[specification.identity].attack
                records.append(
                    evaluation_record(
                        specification,
                        answer.predictions,
                        [score(answer.predictions, ref, metric) for ref, metric in metrics.items()],
                        self.device,
                        started_at,
                        seconds,
                        attack_norm=None if attack is None else attack.norm,
                        checks=answer.checks,
                    )
                )
            else:
                failed.append(failure(specification, answer.error, answer.traceback))
        return records, failed

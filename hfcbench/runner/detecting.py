"""Carrying out the trainings and evaluations of detectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.recipes import configured
from hfcbench.results.records import TrainingRecord
from hfcbench.runner.artifacts import save_checkpoint_of
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.parts import Parts
from hfcbench.runner.recording import Started, curve_points, training_record
from hfcbench.runner.specification import TrainingSpecification
from hfcbench.runner.tasks import TrainingTask

if TYPE_CHECKING:
    import torch

    from hfcbench.detection.training import DetectorJob
    from hfcbench.detection_types import Detections
    from hfcbench.evaluation.cells import Cell, CellFailure, CellResult


@dataclass(frozen=True)
class Detecting:
    """Trains detectors and asks them, on one device."""

    parts: Parts
    datasets: DatasetAccess
    artifacts: Path
    device: str

    def train(self, task: TrainingTask, advance: Callable[[float], None]) -> TrainingRecord:
        """Train one detector; its checkpoint lies in ``artifacts`` after that."""
        from hfcbench.detection.training import train_detector

        started = Started(self.device)
        job = self._job(task)
        result = train_detector(job, lambda epoch, epochs: advance(epoch / epochs))
        return training_record(
            task.specification,
            started,
            checkpoint=save_checkpoint_of(task, result.module, self.artifacts),
            curve=curve_points(task, result.curve),
            epochs=job.schedule.epochs,
            parameter_count=result.parameter_count,
            curve_seconds=result.curve_seconds,
        )

    def _job(self, task: TrainingTask) -> DetectorJob:
        import torch

        from hfcbench.detection import mean_average_precision
        from hfcbench.detection.training import DetectorJob

        training = task.specification
        dataset = training.dataset
        return DetectorJob(
            train=self.datasets.pictures(dataset, "train", training.samples),
            test=self.datasets.pictures(dataset, "test", None),
            class_names=dataset.class_names,
            detector=self.parts.made(training.model),
            location=self.datasets.location,
            schedule=configured(training.schedule, self.parts.heuristics(training)).schedule,
            seed=training.seed,
            device=torch.device(self.device),
            measure=mean_average_precision,
            component=self.parts.component(training.component),
            curve=self.parts.views(task.curve),
            curve_samples=task.curve.samples,
        )

    def built(self, training: TrainingSpecification) -> torch.nn.Module:
        """The detector of a training, with any weights."""
        detector: torch.nn.Module = self.parts.made(training.model).build(
            training.dataset.class_names, self.datasets.location
        )
        return detector

    def answers(
        self,
        model: torch.nn.Module,
        training: TrainingSpecification,
        split: str,
        cells: Sequence[Cell],
        on_batch: Callable[[int, int], None],
    ) -> dict[str, CellResult[Detections] | CellFailure]:
        """What the detector finds in every cell, from one pass over the pictures of a split."""
        import torch

        from hfcbench.detection.evaluating import evaluate_detector

        return evaluate_detector(
            model,
            self.datasets.pictures(training.dataset, split, None),
            training.dataset.class_names,
            cells,
            device=torch.device(self.device),
            seed=training.seed,
            on_picture=on_batch,
        )

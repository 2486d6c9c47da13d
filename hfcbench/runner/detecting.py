"""Carrying out the trainings and evaluations of detectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.recipes import configured
from hfcbench.results.records import EvaluationRecord, FailureRecord, TrainingRecord
from hfcbench.runner.artifacts import save_checkpoint_of
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

    from hfcbench.detection.training import DetectorJob


@dataclass(frozen=True)
class Detecting:
    """Trains and evaluates detectors on one device."""

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

    def evaluate(
        self,
        model: torch.nn.Module,
        task: EvaluationTask,
        group: Sequence[EvaluationSpecification],
        on_batch: Callable[[int, int], None],
    ) -> tuple[list[EvaluationRecord], list[FailureRecord]]:
        """Evaluations on one split, in one pass over its pictures."""
        import torch

        from hfcbench.detection.evaluating import evaluate_detector
        from hfcbench.detection_types import Detections

        started_at, start = datetime.now(UTC), time.perf_counter()
        dataset = task.training.dataset
        answers = evaluate_detector(
            model,
            self.datasets.pictures(dataset, group[0].split, None),
            dataset.class_names,
            [self.parts.cell(specification) for specification in group],
            device=torch.device(self.device),
            seed=task.training.seed,
            on_picture=on_batch,
        )
        seconds = (time.perf_counter() - start) / len(group)
        metrics = {metric: self.parts.made(metric) for metric in task.metrics}
        records, failed = [], []
        for specification in group:
            answer = answers[specification.identity]
            if isinstance(answer, Detections):
                scores = [score(answer, ref, metric) for ref, metric in metrics.items()]
                records.append(
                    evaluation_record(
                        specification, answer, scores, self.device, started_at, seconds
                    )
                )
            else:
                failed.append(failure(specification, answer.error, answer.traceback))
        return records, failed

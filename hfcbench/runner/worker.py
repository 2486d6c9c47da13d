"""Carrying out one task: objects from specifications, results to records."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.registry import Registry
from hfcbench.results.records import EvaluationRecord, FailureRecord
from hfcbench.runner.analysing import analyse
from hfcbench.runner.artifacts import checkpoint_path
from hfcbench.runner.classifying import Classifying
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.detecting import Detecting
from hfcbench.runner.executor import Advance
from hfcbench.runner.parts import Parts
from hfcbench.runner.recording import Started, evaluation_record, failure, failures, score
from hfcbench.runner.specification import EvaluationSpecification, TrainingSpecification
from hfcbench.runner.tasks import AnalysisTask, EvaluationTask, Outcome, Task, TrainingTask

if TYPE_CHECKING:
    import torch


@dataclass
class TaskWorker:
    """Runs tasks on one device; checkpoints go to and come from the ``artifacts`` folder."""

    registry: Registry
    datasets: DatasetAccess
    artifacts: Path
    device: str

    def run(self, task: Task, advance: Advance) -> Outcome:
        """The task's results; an exception becomes a failure of the task."""
        # Whatever a plugin or torch raises must end in a row, not in a lost run.
        try:
            if isinstance(task, TrainingTask):
                return Outcome(training=self._room(task.specification).train(task, advance))
            if isinstance(task, EvaluationTask):
                return self._evaluate(task, advance)
            model = self._trained_model(task)
            return analyse(task, model, self.registry, self.datasets, self.device, advance)
        except Exception as error:
            return Outcome(failures=failures(task, error, traceback.format_exc()))

    def _evaluate(self, task: EvaluationTask, advance: Advance) -> Outcome:
        """All evaluations in one pass over the images of each split."""
        records: list[EvaluationRecord] = []
        failed: list[FailureRecord] = []
        model = self._trained_model(task)
        by_split: dict[str, list[EvaluationSpecification]] = {}
        for evaluation in task.evaluations:
            by_split.setdefault(evaluation.split, []).append(evaluation)
        for number, group in enumerate(by_split.values()):
            on_batch = partial(_advance_part, advance, number, len(by_split))
            new_records, new_failures = self._evaluate_split(model, task, group, on_batch)
            records.extend(new_records)
            failed.extend(new_failures)
        return Outcome(evaluations=records, failures=failed)

    def _evaluate_split(
        self,
        model: torch.nn.Module,
        task: EvaluationTask,
        group: Sequence[EvaluationSpecification],
        on_batch: Callable[[int, int], None],
    ) -> tuple[list[EvaluationRecord], list[FailureRecord]]:
        from hfcbench.evaluation.cells import CellFailure

        parts, started = Parts(self.registry), Started(self.device)
        cells = {specification.identity: parts.cell(specification) for specification in group}
        room = self._room(task.training)
        answers = room.answers(model, task.training, group[0].split, list(cells.values()), on_batch)
        seconds = started.seconds / len(group)
        metrics = {metric: parts.made(metric) for metric in task.metrics}
        records, failed = [], []
        for specification in group:
            answer = answers[specification.identity]
            if isinstance(answer, CellFailure):
                failed.append(failure(specification, answer.error, answer.traceback))
                continue
            scores = [score(answer.predictions, ref, metric) for ref, metric in metrics.items()]
            attack = cells[specification.identity].attack
            norm = None if attack is None else attack.norm
            records.append(evaluation_record(specification, answer, scores, started, seconds, norm))
        return records, failed

    def _trained_model(self, task: EvaluationTask | AnalysisTask) -> torch.nn.Module:
        import torch

        from hfcbench.training.checkpoints import load_checkpoint

        training = task.training
        model = self._room(training).built(training)
        path = self.artifacts / checkpoint_path(training.identity)
        load_checkpoint(model, path, task.checkpoint_sha256)
        return model.to(torch.device(self.device)).eval()

    def _room(self, training: TrainingSpecification) -> Classifying | Detecting:
        """Where the dataset's task is done."""
        room = Detecting if training.dataset.task == "detection" else Classifying
        return room(Parts(self.registry), self.datasets, self.artifacts, self.device)


def _advance_part(advance: Advance, part: int, parts: int, batch: int, batches: int) -> None:
    advance((part + batch / batches) / parts)

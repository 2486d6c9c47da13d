"""Carrying out one task: objects from specifications, results to records."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.results.records import EvaluationRecord, FailureRecord, TrainingRecord
from hfcbench.runner.analysing import analyse
from hfcbench.runner.artifacts import checkpoint_path, save_checkpoint_of, save_labels_of
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.executor import Advance
from hfcbench.runner.recording import (
    curve_points,
    evaluation_record,
    failure,
    failures,
    label_of,
    score,
)
from hfcbench.runner.specification import (
    ComponentSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.tasks import AnalysisTask, EvaluationTask, Outcome, Task, TrainingTask
from hfcbench.types import Heuristic

if TYPE_CHECKING:
    import torch

    from hfcbench.evaluation.cells import Cell
    from hfcbench.frequency.components import Component
    from hfcbench.training.job import TrainingJob


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
                return Outcome(training=self._train(task, advance))
            if isinstance(task, EvaluationTask):
                return self._evaluate(task, advance)
            model = self._trained_model(task)
            return analyse(task, model, self.registry, self.datasets, self.device, advance)
        except Exception as error:
            return Outcome(failures=failures(task, error, traceback.format_exc()))

    def _train(self, task: TrainingTask, advance: Advance) -> TrainingRecord:
        from hfcbench.training.loop import train

        specification = task.specification
        started_at, start = datetime.now(UTC), time.perf_counter()
        result = train(self._job(task), lambda epoch, epochs: advance(epoch / epochs))
        checkpoint = save_checkpoint_of(task, result, self.artifacts)
        whole = self.datasets.split(specification.dataset, "train", None)
        positions = whole.choice(specification.samples)
        return TrainingRecord(
            identity=specification.identity,
            specification=specification.canonical,
            dataset_fingerprint=specification.dataset.fingerprint,
            dataset_name=specification.dataset.title,
            model=specification.model.label,
            heuristics=specification.heuristics_label,
            trained_on=specification.component.label,
            rescaling=specification.component.rescaling,
            seed=specification.seed,
            epochs=result.recipe.schedule.epochs,
            parameter_count=result.parameter_count,
            device=self.device,
            started_at=started_at,
            duration_seconds=time.perf_counter() - start,
            checkpoint=checkpoint,
            curve=curve_points(task, result),
            curve_seconds=result.curve_seconds,
            labels=save_labels_of(task, result, positions, self.artifacts),
        )

    def _job(self, task: TrainingTask) -> TrainingJob:
        import torch

        from hfcbench.training.job import CurveView, TrainingJob

        specification = task.specification
        dataset = specification.dataset
        return TrainingJob(
            train=self.datasets.split(dataset, "train", specification.samples),
            test=self.datasets.split(dataset, "test", None),
            shape=dataset.shape,
            classes=dataset.classes,
            model=self.registry.create(specification.model),
            heuristics=self._heuristics(specification),
            schedule=specification.schedule,
            component=self._component(specification.component),
            seed=specification.seed,
            curve=tuple(
                CurveView(self._component(component), str(index))
                for index, component in enumerate(task.curve.components)
            ),
            curve_samples=task.curve.samples,
            device=torch.device(self.device),
        )

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
        import torch

        from hfcbench.evaluation.cells import CellResult
        from hfcbench.evaluation.engine import evaluate

        started_at, start = datetime.now(UTC), time.perf_counter()
        cells = {specification.identity: self._cell(specification) for specification in group}
        answers = evaluate(
            model,
            self.datasets.split(task.training.dataset, group[0].split, None),
            list(cells.values()),
            device=torch.device(self.device),
            seed=task.training.seed,
            on_batch=on_batch,
        )
        seconds = (time.perf_counter() - start) / len(group)
        metrics = {metric: self.registry.create(metric) for metric in task.metrics}
        records, failed = [], []
        for specification in group:
            answer = answers[specification.identity]
            if isinstance(answer, CellResult):
                scores = [score(answer.predictions, ref, metric) for ref, metric in metrics.items()]
                attack = cells[specification.identity].attack
                records.append(
                    evaluation_record(
                        specification,
                        answer,
                        scores,
                        self.device,
                        started_at,
                        seconds,
                        None if attack is None else attack.norm,
                    )
                )
            else:
                failed.append(failure(specification, answer.error, answer.traceback))
        return records, failed

    def _trained_model(self, task: EvaluationTask | AnalysisTask) -> torch.nn.Module:
        import torch

        from hfcbench.recipes import configured
        from hfcbench.training.checkpoints import load_checkpoint

        training = task.training
        recipe = configured(training.schedule, self._heuristics(training))
        dataset = training.dataset
        model: torch.nn.Module = self.registry.create(training.model).build(
            dataset.shape, dataset.classes, recipe.options
        )
        path = self.artifacts / checkpoint_path(training.identity)
        load_checkpoint(model, path, task.checkpoint_sha256)
        return model.to(torch.device(self.device)).eval()

    def _heuristics(self, training: TrainingSpecification) -> tuple[Heuristic, ...]:
        return tuple(self.registry.create(reference) for reference in training.heuristics)

    def _component(self, specification: ComponentSpecification) -> Component:
        from hfcbench.frequency.components import ORIGINAL, Component

        if specification.decomposition is None:
            return ORIGINAL
        return Component(
            self.registry.create(specification.decomposition),
            specification.part_index,
            specification.cutoff,
            specification.rescaling,  # type: ignore[arg-type]
        )

    def _cell(self, specification: EvaluationSpecification) -> Cell:
        from hfcbench.evaluation.cells import UNSEARCHED, Cell

        def made(reference: Reference | None) -> Any:
            return None if reference is None else self.registry.create(reference)

        return Cell(
            key=specification.identity,
            component=self._component(specification.component),
            defence=made(specification.defence),
            defence_key=label_of(specification.defence),
            attack=made(specification.attack),
            attack_key=label_of(specification.attack),
            epsilon=specification.epsilon,
            samples=specification.samples,
            search=specification.search or UNSEARCHED,
        )


def _advance_part(advance: Advance, part: int, parts: int, batch: int, batches: int) -> None:
    advance((part + batch / batches) / parts)

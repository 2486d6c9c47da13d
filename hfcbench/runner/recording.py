"""Results as the store keeps them: records from specifications and what tasks found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hfcbench.attack_types import Norm
from hfcbench.detection_types import TRAINED, DetectionMetric, Detections
from hfcbench.errors import HfcbenchError
from hfcbench.references import Reference
from hfcbench.results.records import (
    ArtifactRecord,
    CurvePoint,
    EvaluationRecord,
    FailureRecord,
    ScoreRecord,
    TrainingRecord,
)
from hfcbench.runner.specification import (
    AnalysisSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.tasks import EvaluationTask, Task, TrainingTask
from hfcbench.types import Metric, Predictions, Score

if TYPE_CHECKING:
    from hfcbench.evaluation.cells import CellResult
    from hfcbench.training.job import CurveMeasurement


@dataclass(frozen=True)
class Started:
    """When and where the work on a node began."""

    device: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.clock


def training_record(
    specification: TrainingSpecification,
    started: Started,
    *,
    checkpoint: ArtifactRecord,
    curve: Sequence[CurvePoint],
    epochs: int,
    parameter_count: int,
    curve_seconds: float,
    labels: ArtifactRecord | None = None,
) -> TrainingRecord:
    """A finished training with everything that its specification says."""
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
        epochs=epochs,
        parameter_count=parameter_count,
        device=started.device,
        started_at=started.at,
        duration_seconds=started.seconds,
        checkpoint=checkpoint,
        curve=curve,
        curve_seconds=curve_seconds,
        labels=labels,
    )


def score(
    answers: Predictions | Detections, reference: Reference, metric: Metric | DetectionMetric
) -> ScoreRecord:
    """A metric's record over stored or fresh predictions or detections of its task."""
    name, version = reference.label, reference.version
    found = metric.score(answers)  # type: ignore[arg-type]
    if isinstance(found, Score):
        return ScoreRecord(name, version, found, metric.higher_is_better)
    return ScoreRecord(
        name, version, found.total, metric.higher_is_better, found.classes, found.pictures
    )


def label_of(reference: Reference | None) -> str:
    """A reference's label; ``none`` where there is none."""
    return "none" if reference is None else reference.label


def curve_points(task: TrainingTask, curve: Sequence[CurveMeasurement]) -> list[CurvePoint]:
    """What a training measured, with the names of its components."""
    points = []
    for measured in curve:
        component = (
            task.specification.component
            if measured.key == TRAINED
            else task.curve.components[int(measured.key)]
        )
        decomposition = component.decomposition
        points.append(
            CurvePoint(
                epoch=measured.epoch,
                split=measured.split,
                component=component.label,
                decomposition=None if decomposition is None else decomposition.label,
                rescaling=component.rescaling,
                metric=measured.metric,
                value=measured.value,
                n=measured.n,
            )
        )
    return points


def evaluation_record(
    specification: EvaluationSpecification,
    result: CellResult[Any],
    scores: Sequence[ScoreRecord],
    started: Started,
    duration_seconds: float,
    attack_norm: Norm | None,
) -> EvaluationRecord:
    """A finished evaluation with everything that its specification says."""
    component = specification.component
    cutoff = component.cutoff
    inner, outer = cutoff if isinstance(cutoff, tuple) else (None, cutoff)
    return EvaluationRecord(
        identity=specification.identity,
        training_identity=specification.training.identity,
        specification=specification.canonical,
        split=specification.split,
        defence=label_of(specification.defence),
        attack=label_of(specification.attack),
        epsilon=specification.epsilon,
        component=component.label,
        part=component.part,
        cutoff=outer,
        cutoff_inner=inner,
        decomposition=label_of(component.decomposition) if component.decomposition else None,
        rescaling=component.rescaling,
        device=started.device,
        started_at=started.at,
        duration_seconds=duration_seconds,
        predictions=result.predictions,
        scores=scores,
        attack_norm=attack_norm,
        search=specification.search,
        checks=result.checks,
    )


def failures(task: Task, error: Exception, text: str) -> list[FailureRecord]:
    """One record for each node of a task that failed as a whole; ``text`` is the traceback."""
    if isinstance(task, TrainingTask):
        return [failure(task.specification, error, text)]
    nodes = task.evaluations if isinstance(task, EvaluationTask) else task.analyses
    return [failure(node, error, text) for node in nodes]


def failure(
    specification: TrainingSpecification | EvaluationSpecification | AnalysisSpecification,
    error: Exception,
    text: str,
) -> FailureRecord:
    """The record of one failed node; ``text`` is the traceback."""
    known = isinstance(error, HfcbenchError)
    return FailureRecord(
        identity=specification.identity,
        kind=str(specification.canonical["kind"]),
        label=specification.label,
        error=str(error) if known else f"{type(error).__name__}: {error}",
        traceback=text,
        failed_at=datetime.now(UTC),
    )

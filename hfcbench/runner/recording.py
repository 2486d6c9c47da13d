"""Results as the store keeps them: records from specifications and what tasks found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hfcbench.attack_types import Norm
from hfcbench.errors import HfcbenchError
from hfcbench.references import Reference
from hfcbench.results.records import (
    CurvePoint,
    EvaluationRecord,
    FailureRecord,
    ScoreRecord,
)
from hfcbench.runner.specification import (
    AnalysisSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.tasks import EvaluationTask, Task, TrainingTask
from hfcbench.types import Metric, Predictions

if TYPE_CHECKING:
    from hfcbench.evaluation.cells import CellResult
    from hfcbench.training.job import TrainingResult


def score(predictions: Predictions, reference: Reference, metric: Metric) -> ScoreRecord:
    """A metric's record over stored or fresh predictions."""
    return ScoreRecord(
        reference.label, reference.version, metric.score(predictions), metric.higher_is_better
    )


def label_of(reference: Reference | None) -> str:
    """A reference's label; ``none`` where there is none."""
    return "none" if reference is None else reference.label


def curve_points(task: TrainingTask, result: TrainingResult) -> list[CurvePoint]:
    """What a training measured, with the names of its components."""
    points = []
    for measured in result.curve:
        component = task.curve.components[int(measured.key)]
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
    result: CellResult,
    scores: Sequence[ScoreRecord],
    device: str,
    started_at: datetime,
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
        device=device,
        started_at=started_at,
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

"""The plan: every training and evaluation that a suite needs, each once, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.references import Reference
from hfcbench.runner.expansion import PlannedTraining
from hfcbench.runner.specification import (
    AnalysisSpecification,
    ComponentSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.tasks import AnalysisTask, CurvePlan, EvaluationTask, Task, TrainingTask

if TYPE_CHECKING:
    from hfcbench.results.store import Store, StoredTraining

CURVE_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Node:
    """One training with all evaluations and analyses of its checkpoint."""

    training: TrainingSpecification
    curve: CurvePlan
    evaluations: tuple[EvaluationSpecification, ...]
    metrics: tuple[Reference, ...]
    analyses: tuple[AnalysisSpecification, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a suite needs, without regard to what is done."""

    suite: str
    nodes: tuple[Node, ...]

    @property
    def evaluation_count(self) -> int:
        return sum(len(node.evaluations) for node in self.nodes)

    @property
    def analysis_count(self) -> int:
        return sum(len(node.analyses) for node in self.nodes)


@dataclass(frozen=True)
class Remaining:
    """What is left of a plan.

    Attributes:
        tasks: in an order that executors can follow.
        trainings_done: identities of finished trainings.
        evaluations_done: identities of finished evaluations.
        analyses_done: identities of finished analyses.
        unscored: finished evaluations whose predictions lack one of the plan's metrics.
    """

    tasks: tuple[Task, ...]
    trainings_done: frozenset[str]
    evaluations_done: frozenset[str]
    unscored: tuple[tuple[str, Reference], ...] = ()
    analyses_done: frozenset[str] = frozenset()


def make_plan(suite: str, trainings: Iterable[PlannedTraining]) -> Plan:
    """Merge equal trainings and drop repeated evaluations."""
    merged: dict[str, list[PlannedTraining]] = {}
    for planned in trainings:
        merged.setdefault(planned.specification.identity, []).append(planned)
    return Plan(suite, tuple(_node(group) for group in merged.values()))


def _node(group: list[PlannedTraining]) -> Node:
    evaluations = {
        evaluation.identity: evaluation for planned in group for evaluation in planned.evaluations
    }
    analyses = {analysis.identity: analysis for planned in group for analysis in planned.analyses}
    metrics = {metric.label: metric for planned in group for metric in planned.metrics}
    components = {component: None for planned in group for component in planned.curve.components}
    sample_counts = [planned.curve.samples for planned in group]
    most = None if None in sample_counts else max(filter(None, sample_counts))
    return Node(
        group[0].specification,
        CurvePlan(tuple(components), most),
        tuple(evaluations.values()),
        tuple(metrics.values()),
        tuple(analyses.values()),
    )


def remaining(plan: Plan, store: Store | None, artifacts: Path) -> Remaining:
    """Compare a plan with what the database holds.

    Args:
        plan: what is wanted.
        store: the database, or None where there is none yet.
        artifacts: the folder that checkpoints lie in.
    """
    identities = [node.training.identity for node in plan.nodes]
    wanted = [evaluation.identity for node in plan.nodes for evaluation in node.evaluations]
    trainings = {} if store is None else store.trainings(identities)
    done = set() if store is None else store.evaluations_done(wanted)
    analyses = [analysis.identity for node in plan.nodes for analysis in node.analyses]
    analysed = store.analyses_done(analyses) if store is not None and analyses else set()
    tasks: list[Task] = []
    for node in plan.nodes:
        stored = trainings.get(node.training.identity)
        left = replace(
            node,
            evaluations=tuple(item for item in node.evaluations if item.identity not in done),
            analyses=tuple(item for item in node.analyses if item.identity not in analysed),
        )
        tasks.extend(_tasks(left, stored, artifacts))
    return Remaining(
        tuple(tasks),
        frozenset(trainings),
        frozenset(done),
        tuple(_unscored(plan, store, done)) if store is not None else (),
        frozenset(analysed),
    )


def _tasks(node: Node, stored: StoredTraining | None, artifacts: Path) -> Iterable[Task]:
    """The tasks of a node that holds only what is missing."""
    known = None if stored is None else stored.checkpoint.sha256
    needed = bool(node.evaluations or node.analyses)
    lost = stored is not None and needed and not (artifacts / stored.checkpoint.path).exists()
    if stored is None or lost or not curve_keys(node) <= stored.curve_keys:
        labels = None if stored is None or stored.labels is None else stored.labels.sha256
        yield TrainingTask(node.training, node.curve, known, labels)
    if node.evaluations:
        yield EvaluationTask(node.training, node.evaluations, node.metrics, known)
    if node.analyses:
        yield AnalysisTask(node.training, node.analyses, known)


def curve_keys(node: Node) -> frozenset[tuple[str, str, str | None, str | None, int]]:
    """What the curve of a training must hold, as the store lists it."""
    if node.training.schedule.epochs == 0:
        return frozenset()
    dataset, samples = node.training.dataset, node.curve.samples
    sizes = {
        "train": min(node.training.samples or dataset.train_size, dataset.train_size),
        "test": dataset.test_size,
    }
    return frozenset(
        curve_key(split, component, sizes[split] if samples is None else min(samples, sizes[split]))
        for component in node.curve.components
        for split in CURVE_SPLITS
    )


def curve_key(
    split: str, component: ComponentSpecification, n: int
) -> tuple[str, str, str | None, str | None, int]:
    """Which curve a point belongs to."""
    decomposition = component.decomposition
    return (
        split,
        component.label,
        None if decomposition is None else decomposition.label,
        component.rescaling,
        n,
    )


def _unscored(plan: Plan, store: Store, done: set[str]) -> Iterable[tuple[str, Reference]]:
    """Every metric that a finished evaluation lacks, metric by metric."""
    wanted: dict[tuple[str, str], list[str]] = {}
    metrics: dict[tuple[str, str], Reference] = {}
    for node in plan.nodes:
        identities = [item.identity for item in node.evaluations if item.identity in done]
        for metric in node.metrics:
            metrics[metric.label, metric.version] = metric
            wanted.setdefault((metric.label, metric.version), []).extend(identities)
    for key, metric in metrics.items():
        lacking = store.unscored(wanted[key], *key)
        yield from ((identity, metric) for identity in wanted[key] if identity in lacking)

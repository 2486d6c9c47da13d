"""Recomputing a stored result and comparing it with what the database holds."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hfcbench.errors import NodeError, StoreError
from hfcbench.results.records import CHECKPOINT
from hfcbench.results.statistics import different_pictures
from hfcbench.runner.agreement import Check, quantity_checks, score_checks
from hfcbench.runner.recompute import suite_text
from hfcbench.runner.session import Session
from hfcbench.runner.specification import canonical_json
from hfcbench.runner.tasks import AnalysisTask, CurvePlan, EvaluationTask, Outcome, TrainingTask
from hfcbench.types import Predictions

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance
    from hfcbench.results.records import EvaluationRecord, TrainingRecord
    from hfcbench.results.store import Store
    from hfcbench.runner.plan import Node

R = TypeVar("R")


@dataclass(frozen=True)
class Verification:
    """What recomputing a result gave.

    Attributes:
        same_files: whether training again gave the very same checkpoint and other files, by kind;
            None where the model was not trained again.
        checks: a stored score or quantity each; none for a training.
        different_predictions: of ``n`` images of an evaluation, how many got another class; of
            pictures, in how many objects of other classes, or other numbers of them, were found.
    """

    same_files: Mapping[str, bool] | None
    checks: tuple[Check, ...] = ()
    different_predictions: int = 0
    n: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every number is within its tolerance; of a bare training, its files."""
        if not self.checks:
            return self.same_files is not None and all(self.same_files.values())
        return all(check.agrees for check in self.checks)


def verify(
    session: Session, store: Store, provenance: Provenance, *, retrain: bool, tolerance: float
) -> Verification:
    """Recompute an evaluation or an analysis, or train a training again, and compare.

    An evaluation or an analysis is repeated with the stored checkpoint where its file is there,
    and otherwise, or when ``retrain`` is set, after training again.

    Args:
        session: with the plugins and datasets; its database is not touched.
        tolerance: the largest difference of two numbers that still agree.

    Raises:
        StoreError: the specification stands for another result by now: a component has another
            version, or the dataset other content.
        NodeError: it cannot be recomputed.
    """
    node = _planned(session, provenance)
    with tempfile.TemporaryDirectory(prefix="hfcbench-verify-") as folder:
        checkpoint = provenance.checkpoint
        artifacts = session.settings.artifacts_folder
        there = checkpoint is not None and (artifacts / str(checkpoint["path"])).is_file()
        again = retrain or provenance.finding is None or not there
        sha256 = None if checkpoint is None else str(checkpoint["sha256"])
        worker = session.worker(Path(folder) if again else artifacts)
        same = None
        if again:
            outcome = worker.run(TrainingTask(node.training, CurvePlan()), _nothing)
            trained = _only([outcome.training] if outcome.training else [], outcome)
            same = _same_files(provenance, trained)
            sha256 = trained.checkpoint.sha256
        finding = provenance.finding
        if finding is None:
            return Verification(same)
        task = _task(node, provenance, sha256)
        outcome = worker.run(task, _nothing)
    if isinstance(task, AnalysisTask):
        analysis = _only(outcome.analyses, outcome)
        checks = quantity_checks(finding.quantities, analysis.quantities, tolerance)
        return Verification(same, checks)
    evaluation = _only(outcome.evaluations, outcome)
    checks = score_checks(finding.scores, evaluation.scores, tolerance)
    return Verification(same, checks, _answered_otherwise(evaluation, store), evaluation.n)


def _answered_otherwise(evaluation: EvaluationRecord, store: Store) -> int:
    found = evaluation.predictions
    if isinstance(found, Predictions):
        stored = store.predictions(evaluation.identity)
        return int((found.predicted != stored.predicted).sum())
    one, other = (
        {"counts": item.counts, "classes": item.classes}
        for item in (found, store.detections(evaluation.identity))
    )
    return different_pictures(one, other, ["classes"])


def _planned(session: Session, provenance: Provenance) -> Node:
    """The node that today's plugins and data make of the stored specification."""
    plan = session.plan_text(
        f"{provenance.kind} {provenance.identity[:12]}", suite_text(provenance)
    )
    (node,) = plan.nodes
    stored = provenance.training["specification"]
    if node.training.identity != provenance.training["identity"]:
        raise StoreError(
            "this result cannot be recomputed here as it was: "
            + "; ".join(_differences(stored, node.training.canonical)),
            hint="install the versions that `hfcbench show` lists, and use the same data",
        )
    return node


def _same_files(provenance: Provenance, trained: TrainingRecord) -> dict[str, bool]:
    """Of each kind of file that is stored, and of the checkpoint: whether training gave it."""
    stored = {str(row["kind"]): row["sha256"] for row in provenance.artifacts}
    again = {artifact.kind: artifact.sha256 for artifact in trained.artifacts}
    return {
        kind: kind in again and again[kind] == stored.get(kind)
        for kind in dict.fromkeys((CHECKPOINT, *stored))
    }


def _task(node: Node, provenance: Provenance, sha256: str | None) -> EvaluationTask | AnalysisTask:
    """What computes the evaluation or the analysis, and nothing else of the node."""
    for evaluation in node.evaluations:
        if evaluation.identity == provenance.identity:
            return EvaluationTask(node.training, (evaluation,), node.metrics, sha256)
    for analysis in node.analyses:
        if analysis.identity == provenance.identity:
            return AnalysisTask(node.training, (analysis,), sha256)
    measured = "analysis" if provenance.kind == "analysis" else "decomposition"
    raise StoreError(
        f"{provenance.kind} {provenance.identity[:12]} cannot be recomputed here as it was: its "
        f"{measured}, attack, defence or the evaluation procedure has another version by now",
        hint="install the versions that `hfcbench show` lists",
    )


def _differences(stored: Mapping[str, Any], planned: Mapping[str, Any]) -> list[str]:
    """What two specifications disagree about, one text each."""
    return [
        f"{key} was {_short(stored.get(key))} and is {_short(planned.get(key))}"
        for key in sorted({*stored, *planned})
        if stored.get(key) != planned.get(key)
    ]


def _short(value: Any) -> str:
    return canonical_json(value) if isinstance(value, Mapping) else str(value)


def _only(results: Sequence[R], outcome: Outcome) -> R:
    """The one result that a task of a single node has."""
    if not results:
        failure = outcome.failures[0]
        raise NodeError(f"{failure.label} cannot be recomputed: {failure.error}")
    return results[0]


def _nothing(share: float) -> None:
    """Nobody follows the progress of a single node."""

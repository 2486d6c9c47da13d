"""Recomputing a stored result and comparing it with what the database holds."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfcbench.errors import NodeError, StoreError
from hfcbench.runner.recompute import suite_text
from hfcbench.runner.session import Session
from hfcbench.runner.specification import EvaluationSpecification, canonical_json
from hfcbench.runner.tasks import CurvePlan, EvaluationTask, Outcome, TrainingTask

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance
    from hfcbench.results.records import EvaluationRecord
    from hfcbench.results.store import Store
    from hfcbench.runner.plan import Node
    from hfcbench.types import Predictions


@dataclass(frozen=True)
class ScoreCheck:
    """A stored score beside the recomputed one."""

    metric: str
    stored: float
    recomputed: float
    tolerance: float

    @property
    def difference(self) -> float:
        """How far apart they are; 0 for two that are NaN or equally infinite."""
        same = self.stored == self.recomputed
        if same or (math.isnan(self.stored) and math.isnan(self.recomputed)):
            return 0.0
        return abs(self.stored - self.recomputed)

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance


@dataclass(frozen=True)
class Verification:
    """What recomputing a result gave.

    Attributes:
        retrained: whether the model was trained again.
        same_checkpoint: whether that gave the very same checkpoint; None where it was not.
        checks: a stored score each; empty for a training without evaluations.
        different_predictions: of ``n`` images, how many got another class.
    """

    retrained: bool
    same_checkpoint: bool | None
    checks: tuple[ScoreCheck, ...]
    different_predictions: int
    n: int

    @property
    def agrees(self) -> bool:
        """Whether every score is within its tolerance; of a bare training, its checkpoint."""
        if not self.checks:
            return bool(self.same_checkpoint)
        return all(check.agrees for check in self.checks)


def verify(
    session: Session, store: Store, provenance: Provenance, *, retrain: bool, tolerance: float
) -> Verification:
    """Recompute an evaluation, or train a training again, and compare.

    An evaluation is repeated with the stored checkpoint where its file is there, and otherwise, or
    when ``retrain`` is set, after training again.

    Args:
        session: with the plugins and datasets; its database is not touched.
        tolerance: the largest difference of a score that still agrees.

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
        again = retrain or provenance.kind == "training" or not there
        sha256 = None if checkpoint is None else str(checkpoint["sha256"])
        if again:
            artifacts = Path(folder)
        worker = session.worker(artifacts)
        same = None
        if again:
            outcome = worker.run(TrainingTask(node.training, CurvePlan()), _nothing)
            trained = _finished(outcome, outcome.training)
            same = trained.checkpoint.sha256 == sha256
            sha256 = trained.checkpoint.sha256
        if provenance.kind == "training":
            return Verification(True, same, (), 0, 0)
        wanted = _wanted(node, provenance.identity)
        outcome = worker.run(
            EvaluationTask(node.training, (wanted,), node.metrics, sha256), _nothing
        )
        record = _finished(outcome, outcome.evaluations[0] if outcome.evaluations else None)
    return _compared(record, store.predictions(provenance.identity), provenance, tolerance, same)


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


def _wanted(node: Node, identity: str) -> EvaluationSpecification:
    for evaluation in node.evaluations:
        if evaluation.identity == identity:
            return evaluation
    raise StoreError(
        f"evaluation {identity[:12]} cannot be recomputed here as it was: its decomposition, "
        "attack, defence or the evaluation procedure has another version by now",
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


def _finished(outcome: Outcome, result: Any) -> Any:
    if result is None:
        failure = outcome.failures[0]
        raise NodeError(f"{failure.label} cannot be recomputed: {failure.error}")
    return result


def _compared(
    record: EvaluationRecord,
    stored: Predictions,
    provenance: Provenance,
    tolerance: float,
    same_checkpoint: bool | None,
) -> Verification:
    recomputed = {(item.metric, item.metric_version): item.score.value for item in record.scores}
    checks = tuple(
        ScoreCheck(
            score["metric"],
            score["value"],
            recomputed[score["metric"], score["version"]],
            tolerance,
        )
        for score in provenance.scores
        if (score["metric"], score["version"]) in recomputed
    )
    different = int((record.predictions.predicted != stored.predicted).sum())
    return Verification(
        same_checkpoint is not None, same_checkpoint, checks, different, len(stored.predicted)
    )


def _nothing(share: float) -> None:
    """Nobody follows the progress of a single node."""

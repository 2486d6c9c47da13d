"""What was found out about a checkpoint: evaluations and analyses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from hfcbench.quantities import Quantity
from hfcbench.results.column_types import measured_value
from hfcbench.results.queries.conditions import circumstances, condition_name, known_conditions
from hfcbench.results.queries.identities import Found
from hfcbench.results.queries.single_rows import Row, row_of, run_of
from hfcbench.results.schema import (
    Analysis,
    ClassScore,
    Condition,
    Evaluation,
    Metric,
    ReliabilityCheck,
    Score,
)
from hfcbench.results.schema import Quantity as QuantityRow
from hfcbench.results.writing.analyses import read_quantities

_CONDITION_OF_ANALYSIS = ("split", "defence", "attack", "epsilon", "n")


@dataclass(frozen=True)
class Finding:
    """An evaluation or an analysis with everything that belongs to it.

    Attributes:
        row: of table ``evaluations`` or ``analyses``.
        condition: of an evaluation its row of table ``conditions``; of an analysis defence, attack,
            epsilon, split and number of images.
        run: that computed it.
        scores: of an evaluation, with metric, version and interval.
        class_scores: of an evaluation of a detector, the same for each class, best first.
        checks: of an evaluation under attack, what was measured about how far to trust it.
        quantities: of an analysis.
    """

    row: Row
    condition: Row
    run: Row
    scores: tuple[Row, ...] = ()
    class_scores: tuple[Row, ...] = ()
    checks: tuple[Row, ...] = ()
    quantities: tuple[Quantity, ...] = ()


def finding_of(connection: Connection, found: Found) -> Finding | None:
    """The evaluation or analysis that was found; None for a training.

    Raises:
        StoreError: stored bytes are damaged.
    """
    if found.kind == "training":
        return None
    if found.kind == "evaluation":
        row = row_of(connection, Evaluation, found.key)
        condition = row_of(connection, Condition, row["condition_id"])
        run = run_of(connection, row["run_id"])
        scores, checks = _scores(connection, found.key), _checks(connection, found.key)
        of_classes = _class_scores(connection, found.key)
        return Finding(row, condition, run, scores, of_classes, checks)
    row = row_of(connection, Analysis, found.key)
    condition = {name: row[name] for name in _CONDITION_OF_ANALYSIS}
    quantities = read_quantities(connection, [found.identity]).get(found.identity, ())
    return Finding(row, condition, run_of(connection, row["run_id"]), quantities=quantities)


def evaluations_of(connection: Connection, training_id: int, headline: str) -> tuple[Row, ...]:
    """Identity, condition, n and headline metric, if there is one, of a training's evaluations."""
    known = {item.condition_id: item for item in known_conditions(connection)}
    rows = connection.execute(
        select(Evaluation.identity, Evaluation.condition_id, Evaluation.n, Score.value)
        .outerjoin(
            Score,
            and_(
                Score.evaluation_id == Evaluation.evaluation_id,
                Score.metric_id.in_(select(Metric.metric_id).where(Metric.name == headline)),
            ),
        )
        .where(Evaluation.training_id == training_id)
        .order_by(Evaluation.evaluation_id)
    )
    return tuple(
        {
            "identity": row[0],
            "condition": condition_name(known[row[1]]),
            "n": row[2],
            headline: row[3],
        }
        for row in rows
    )


def analyses_of(connection: Connection, training_id: int) -> tuple[Row, ...]:
    """Identity, condition, n and names of the quantities of a training's analyses."""
    names: dict[int, list[str]] = {}
    of_training = Analysis.training_id == training_id
    for key, name in connection.execute(
        select(Analysis.analysis_id, QuantityRow.name)
        .join_from(QuantityRow, Analysis)
        .where(of_training)
        .order_by(QuantityRow.quantity_id)
    ):
        names.setdefault(key, []).append(name)
    rows = connection.execute(
        select(
            *(Analysis.analysis_id, Analysis.identity, Analysis.analysis, Analysis.n),
            *(Analysis.attack, Analysis.epsilon, Analysis.defence),
        )
        .where(of_training)
        .order_by(Analysis.analysis_id)
    )
    return tuple(
        {
            "identity": identity,
            "condition": " ".join([analysis, *circumstances(attack, epsilon, defence)]),
            "n": n,
            "quantities": names.get(key, []),
        }
        for key, identity, analysis, n, attack, epsilon, defence in rows
    )


def _scores(connection: Connection, evaluation_id: int) -> tuple[Row, ...]:
    rows = connection.execute(
        select(
            *(Metric.name, Metric.version, Score.value, Score.state),
            *(Score.low, Score.high, Score.n),
        )
        .join(Metric)
        .where(Score.evaluation_id == evaluation_id)
        .order_by(Metric.name, Metric.version)
    )
    return tuple(
        {
            "metric": name,
            "version": version,
            "value": measured_value(value, state),
            "low": low,
            "high": high,
            "n": n,
        }
        for name, version, value, state, low, high, n in rows
    )


def _class_scores(connection: Connection, evaluation_id: int) -> tuple[Row, ...]:
    rows = connection.execute(
        select(
            *(Metric.name, Metric.version, ClassScore.class_name, ClassScore.value),
            *(ClassScore.state, ClassScore.low, ClassScore.high, ClassScore.n),
        )
        .join(Metric, Metric.metric_id == ClassScore.metric_id)
        .where(ClassScore.evaluation_id == evaluation_id)
    )
    found: list[dict[str, Any]] = [
        {
            "metric": name,
            "version": version,
            "class": class_name,
            "value": measured_value(value, state),
            "low": low,
            "high": high,
            "n": n,
        }
        for name, version, class_name, value, state, low, high, n in rows
    ]
    # What is no number comes last.
    return tuple(
        sorted(found, key=lambda row: (row["metric"], -_known(row["value"]), row["class"]))
    )


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _checks(connection: Connection, evaluation_id: int) -> tuple[Row, ...]:
    columns = (
        *(ReliabilityCheck.name, ReliabilityCheck.value, ReliabilityCheck.threshold),
        *(ReliabilityCheck.flagged, ReliabilityCheck.n),
    )
    rows = connection.execute(
        select(*columns)
        .where(ReliabilityCheck.evaluation_id == evaluation_id)
        .order_by(ReliabilityCheck.name)
    )
    return tuple(dict(row._mapping) for row in rows)

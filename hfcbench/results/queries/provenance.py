"""Where a number comes from: everything that the database knows of one training or evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, inspect, select

from hfcbench.results.column_types import measured_value
from hfcbench.results.queries.conditions import condition_name, known_conditions
from hfcbench.results.queries.identities import find_identity
from hfcbench.results.schema import (
    Artifact,
    Base,
    Condition,
    Dataset,
    Disagreement,
    Evaluation,
    Metric,
    Plugin,
    Run,
    RunPlugin,
    Score,
    Training,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Provenance:
    """All rows that belong to a training or an evaluation, by column name.

    Attributes:
        evaluation, condition, evaluation_run: None for a training.
        scores: of the evaluation, with metric, version and interval.
        evaluations: of a training, with identity, condition, and top-1 accuracy if there is one.
        disagreements: second results of the same identity, from merged databases.
    """

    kind: str
    identity: str
    training: Row
    dataset: Row
    checkpoint: Row | None
    training_run: Row
    evaluation: Row | None
    condition: Row | None
    evaluation_run: Row | None
    scores: tuple[Row, ...]
    evaluations: tuple[Row, ...]
    disagreements: tuple[Row, ...]


def provenance_of(connection: Connection, beginning: str) -> Provenance:
    """Everything about the training or evaluation whose identity begins so.

    Raises:
        UsageError: there is none, or several.
    """
    found = find_identity(connection, beginning)
    evaluation = condition = None
    scores: tuple[Row, ...] = ()
    training_id = found.key
    if found.kind == "evaluation":
        evaluation = _row(connection, Evaluation, found.key)
        condition = _row(connection, Condition, evaluation["condition_id"])
        scores = _scores(connection, found.key)
        training_id = evaluation["training_id"]
    training = _row(connection, Training, training_id)
    artifacts = connection.execute(
        select(Artifact.path, Artifact.sha256, Artifact.size_bytes).where(
            Artifact.training_id == training_id, Artifact.kind == "checkpoint"
        )
    )
    second = connection.execute(
        select(Disagreement.kind, Disagreement.summary, Disagreement.found_at).where(
            Disagreement.identity.in_([found.identity, training["identity"]])
        )
    )
    return Provenance(
        found.kind,
        found.identity,
        training,
        _row(connection, Dataset, training["dataset_id"]),
        next((dict(row._mapping) for row in artifacts), None),
        _run(connection, training["run_id"]),
        evaluation,
        condition,
        None if evaluation is None else _run(connection, evaluation["run_id"]),
        scores,
        _evaluations(connection, training_id) if evaluation is None else (),
        tuple(dict(row._mapping) for row in second),
    )


def _row(connection: Connection, table: type[Base], key: int) -> Row:
    mapper: Any = inspect(table)
    (primary,) = mapper.primary_key
    found = connection.execute(select(*mapper.columns).where(primary == key)).one()
    return dict(found._mapping)


def _run(connection: Connection, run_id: int) -> Row:
    """A run with the plugins that it had loaded."""
    plugins = connection.execute(
        select(Plugin.name, Plugin.distribution, Plugin.version)
        .join(RunPlugin)
        .where(RunPlugin.run_id == run_id)
        .order_by(Plugin.distribution, Plugin.name)
    )
    return {
        **_row(connection, Run, run_id),
        "plugins": [f"{row[0]} ({row[1]} {row[2]})" for row in plugins],
    }


def _evaluations(connection: Connection, training_id: int) -> tuple[Row, ...]:
    known = {item.condition_id: item for item in known_conditions(connection)}
    rows = connection.execute(
        select(Evaluation.identity, Evaluation.condition_id, Evaluation.n, Score.value)
        .outerjoin(
            Score,
            and_(
                Score.evaluation_id == Evaluation.evaluation_id,
                Score.metric_id.in_(select(Metric.metric_id).where(Metric.name == "top1")),
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
            "top1": row[3],
        }
        for row in rows
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

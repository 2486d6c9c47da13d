"""Inserting scores, a million of them if need be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from hfcbench.results.column_types import Bound, stored_value
from hfcbench.results.records import ScoreRecord
from hfcbench.results.schema import Score
from hfcbench.results.writing.conditions import metric_ids

_COLUMNS = (
    *("evaluation_id", "metric_id", "training_id", "condition_id"),
    *("n", "value", "state", "low", "high"),
)
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class ScoredEvaluation:
    """Where an evaluation lies in the database, and the scores that it gets."""

    evaluation_id: int
    training_id: int
    condition_id: int
    scores: Sequence[ScoreRecord]


def insert_scores(connection: Connection, evaluations: Iterable[ScoredEvaluation]) -> None:
    """Add scores, unless an evaluation has one of this metric and version already."""
    items = list(evaluations)
    metrics = metric_ids(connection, (score for item in items for score in item.scores))
    bound = Bound()
    rows = []
    for item in items:
        for record in item.scores:
            score = record.score
            stored = stored_value(score.value)
            rows.append(
                (
                    item.evaluation_id,
                    metrics[record.metric, record.metric_version],
                    item.training_id,
                    item.condition_id,
                    score.n,
                    stored["value"],
                    stored["state"],
                    bound.process_bind_param(score.low, connection.dialect),
                    bound.process_bind_param(score.high, connection.dialect),
                )
            )
    insert_score_rows(connection, rows)


def insert_score_rows(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add complete rows, in the order of the table's columns, straight through the driver.

    For many rows SQLAlchemy's handling of each would take most of the time.
    """
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Score).on_conflict_do_nothing()
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(_COLUMNS))
    order = compiled.positiontup
    if order is None:
        keyed = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        connection.execute(statement, keyed)
        return
    places = [_COLUMNS.index(name) for name in order]
    in_order = places == list(range(len(_COLUMNS)))
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        values = chunk if in_order else [tuple(row[place] for place in places) for row in chunk]
        connection.exec_driver_sql(str(compiled), list(values))

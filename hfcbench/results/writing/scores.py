"""Inserting scores, a million of them if need be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hfcbench.results.column_types import Bound, stored_value
from hfcbench.results.records import ScoreRecord
from hfcbench.results.schema import Score
from hfcbench.results.writing.conditions import metric_ids
from hfcbench.results.writing.detailed_scores import insert_detailed_scores
from hfcbench.results.writing.rows import insert_plain_rows

_COLUMNS = (
    *("evaluation_id", "metric_id", "training_id", "condition_id"),
    *("n", "value", "state", "low", "high"),
)


@dataclass(frozen=True, slots=True)
class ScoredEvaluation:
    """Where an evaluation lies in the database, and the scores that it gets."""

    evaluation_id: int
    training_id: int
    condition_id: int
    scores: Sequence[ScoreRecord]


def insert_scores(connection: Connection, evaluations: Iterable[ScoredEvaluation]) -> None:
    """Add scores, unless an evaluation has one of this metric and version already.

    Raises:
        StoreError: a score has other than one value for each picture.
    """
    items = list(evaluations)
    metrics = metric_ids(connection, (score for item in items for score in item.scores))
    bound = Bound()
    rows = []
    detailed = []
    for item in items:
        for record in item.scores:
            if record.classes or record.pictures is not None:
                detailed.append((item.evaluation_id, record))
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
    if detailed:
        insert_detailed_scores(connection, detailed, metrics)


def insert_score_rows(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add complete rows, in the order of the table's columns."""
    insert_plain_rows(connection, Score, _COLUMNS, rows)

"""Rows as plain dictionaries, with what belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, inspect, select

from hfcbench.results.schema import (
    Analysis,
    Artifact,
    Base,
    Curve,
    Detection,
    Epoch,
    Evaluation,
    Prediction,
    Quantity,
    ReliabilityCheck,
    Score,
    Training,
    TrainingHeuristic,
)

Row = dict[str, Any]
_CHUNK = 500


def key_name(table: type[Base]) -> str:
    mapper: Any = inspect(table)
    return str(mapper.primary_key[0].name)


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def with_keys(rows: Iterable[Row], name: str, keys: Mapping[int, Any]) -> list[Row]:
    """The rows with other keys in a column: those of another database, or what they stand for."""
    return [{**row, name: keys[row[name]]} for row in rows]


def rows_of(connection: Connection, table: type[Base], *where: Any) -> Iterator[Row]:
    """Rows of a table as plain columns, a chunk at a time."""
    mapper: Any = inspect(table)
    statement = select(*mapper.columns).where(*where).order_by(*mapper.primary_key)
    for row in connection.execute(statement).yield_per(_CHUNK):
        yield dict(row._mapping)


def chunks(connection: Connection, table: type[Base]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows_of(connection, table):
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def keys_by_identity(
    connection: Connection, table: type[Training] | type[Evaluation] | type[Analysis]
) -> dict[str, int]:
    key = getattr(table, key_name(table))
    return {row[0]: row[1] for row in connection.execute(select(table.identity, key))}


def parts_of_training(connection: Connection, training_id: int) -> dict[str, list[Row]]:
    curves = list(rows_of(connection, Curve, Curve.training_id == training_id))
    for curve in curves:
        curve["points"] = list(rows_of(connection, Epoch, Epoch.curve_id == curve["curve_id"]))
    return {
        "heuristics": list(
            rows_of(connection, TrainingHeuristic, TrainingHeuristic.training_id == training_id)
        ),
        "artifacts": list(rows_of(connection, Artifact, Artifact.training_id == training_id)),
        "curves": curves,
    }


def parts_of_evaluations(
    connection: Connection, evaluation_ids: Sequence[int]
) -> dict[int, dict[str, list[Row]]]:
    parts: dict[int, dict[str, list[Row]]] = {
        key: {"scores": [], "predictions": [], "detections": [], "checks": []}
        for key in evaluation_ids
    }
    tables: tuple[tuple[type[Base], str], ...] = (
        (Score, "scores"),
        (Prediction, "predictions"),
        (Detection, "detections"),
        (ReliabilityCheck, "checks"),
    )
    for table, name in tables:
        column: Any = getattr(table, "evaluation_id")  # noqa: B009
        for row in rows_of(connection, table, column.in_(evaluation_ids)):
            parts[row["evaluation_id"]][name].append(row)
    return parts


def quantities_of(connection: Connection, analysis_id: int) -> list[Row]:
    return list(rows_of(connection, Quantity, Quantity.analysis_id == analysis_id))

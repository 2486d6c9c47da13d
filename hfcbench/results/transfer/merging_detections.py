"""The steps of a merge that are about detections and what their scores consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hfcbench.results.schema import Base, ClassScore, Picture, PictureScore
from hfcbench.results.transfer.plain_rows import Row, rows_of, with_keys
from hfcbench.results.writing.rows import insert_missing

_TABLES: tuple[tuple[str, type[Base]], ...] = (
    ("class_scores", ClassScore),
    ("picture_scores", PictureScore),
)


def add_pictures(source: Connection, target: Connection, sets: Mapping[int, int]) -> None:
    """Add the pictures of sets that the target lacked.

    Args:
        sets: the target's key of each set of the source.
    """
    for own, key in sets.items():
        rows = rows_of(source, Picture, Picture.picture_set_id == own)
        insert_missing(target, Picture, with_keys(rows, "picture_set_id", {own: key}))


def detailed_scores(
    connection: Connection,
    evaluation_id: int,
    detections: Sequence[Row],
    metrics: Mapping[int, Any] | None = None,
) -> dict[str, list[Row]]:
    """The scores of classes and pictures of an evaluation, in order.

    There is one for each of thousands of pictures, so they are read for one evaluation at a time,
    and only if it has ``detections``.

    Args:
        metrics: what stands for ``metric_id`` in the rows; the key itself if it is not given.
    """
    if not detections:
        return {name: [] for name, _ in _TABLES}
    found = {}
    for name, table in _TABLES:
        column: Any = getattr(table, "evaluation_id")  # noqa: B009
        rows = rows_of(connection, table, column == evaluation_id)
        found[name] = list(rows) if metrics is None else with_keys(rows, "metric_id", metrics)
    return found


def add_detailed_scores(
    target: Connection, details: Mapping[str, Sequence[Row]], evaluation_id: int
) -> None:
    """Add the scores of classes and pictures that an evaluation lacks.

    Args:
        details: from :func:`detailed_scores`, with the target's keys of metrics.
    """
    for name, table in _TABLES:
        rows = [{**row, "evaluation_id": evaluation_id} for row in details[name]]
        insert_missing(target, table, rows)

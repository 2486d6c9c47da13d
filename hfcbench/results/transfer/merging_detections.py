"""The steps of a merge that are about detections and what their scores consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hfcbench.results.schema import Base, ClassScore, Detection, Picture, PictureScore
from hfcbench.results.transfer.plain_rows import Row, rows_of
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
        insert_missing(target, Picture, [{**row, "picture_set_id": key} for row in rows])


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
        found[name] = [
            row if metrics is None else {**row, "metric_id": metrics[row["metric_id"]]}
            for row in rows
        ]
    return found


def add_detections(
    target: Connection, detections: Sequence[Row], evaluation_id: int, sets: Mapping[int, int]
) -> None:
    """Add what was found in an evaluation; ``sets`` as for :func:`add_pictures`."""
    rows = [
        {**row, "evaluation_id": evaluation_id, "picture_set_id": sets[row["picture_set_id"]]}
        for row in detections
    ]
    insert_missing(target, Detection, rows)


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

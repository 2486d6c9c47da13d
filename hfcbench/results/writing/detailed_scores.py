"""Inserting what a detector's scores consist of: rows of classes and of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from hfcbench.errors import StoreError
from hfcbench.results.column_types import Bound, stored_value
from hfcbench.results.records import ScoreRecord
from hfcbench.results.schema import ClassScore, Detection, PictureScore
from hfcbench.results.writing.rows import insert_plain_rows

_OF_CLASSES = ("evaluation_id", "metric_id", "class_name", "n", "value", "state", "low", "high")
_OF_PICTURES = ("evaluation_id", "metric_id", "position", "value", "state")


def insert_detailed_scores(
    connection: Connection,
    scores: Sequence[tuple[int, ScoreRecord]],
    metrics: Mapping[tuple[str, str], int],
) -> None:
    """Add the scores of classes and pictures of these scores, unless they are there already.

    Args:
        scores: with the evaluation_id that each is of.
        metrics: ids by name and version.

    Raises:
        StoreError: there are other than one score for each picture.
    """
    of_classes: list[tuple[object, ...]] = []
    of_pictures: list[tuple[object, ...]] = []
    bound = Bound()
    rows = connection.execute(
        select(Detection.evaluation_id, Detection.n).where(
            Detection.evaluation_id.in_([evaluation_id for evaluation_id, _ in scores])
        )
    )
    counts = {row[0]: row[1] for row in rows}
    for evaluation_id, record in scores:
        key = (evaluation_id, metrics[record.metric, record.metric_version])
        for name, score in record.classes.items():
            low = bound.process_bind_param(score.low, connection.dialect)
            high = bound.process_bind_param(score.high, connection.dialect)
            of_classes.append((*key, name, score.n, *stored_value(score.value).values(), low, high))
        if record.pictures is not None:
            if record.pictures.shape != (counts.get(evaluation_id),):
                raise StoreError(
                    f"scores of pictures cannot be stored: metric '{record.metric}' has "
                    f"{record.pictures.shape} of them for {counts.get(evaluation_id, 0)} pictures"
                )
            of_pictures.extend(
                (*key, position, *stored_value(value).values())
                for position, value in enumerate(record.pictures.tolist())
            )
    insert_plain_rows(connection, ClassScore, _OF_CLASSES, of_classes)
    insert_plain_rows(connection, PictureScore, _OF_PICTURES, of_pictures)

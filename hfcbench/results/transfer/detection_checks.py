"""Whether detections, their pictures and the scores of classes and pictures hold together."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from hfcbench.errors import StoreError
from hfcbench.results.schema import (
    ClassScore,
    Dataset,
    Detection,
    Evaluation,
    Metric,
    Picture,
    PictureScore,
    PictureSet,
    Prediction,
    Score,
    Training,
)
from hfcbench.results.transfer.problems import Problem, chunks
from hfcbench.results.writing.detections import content_of
from hfcbench.results.writing.stored_detections import detection_arrays, read_picture_set

_MEAN_OF_CLASSES = "map"
"""The metric whose total is the mean over the classes that have a number."""

_MEAN_TOLERANCE = 1e-9


def detection_problems(connection: Connection) -> Iterator[Problem]:
    """Pictures and detections that cannot be decoded, or contradict what they belong to."""
    highest: dict[int, int] = {}
    for (key,) in connection.execute(select(PictureSet.picture_set_id)).all():
        yield from _picture_problems(connection, key, highest)
    statement = (
        select(
            *(Detection.evaluation_id, Evaluation.identity, Evaluation.n, Detection.n),
            *(PictureSet.n, PictureSet.picture_set_id, Dataset.task, Dataset.classes),
            Prediction.n,
        )
        .join_from(Detection, Evaluation, Evaluation.evaluation_id == Detection.evaluation_id)
        .join(PictureSet, PictureSet.picture_set_id == Detection.picture_set_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .outerjoin(Prediction, Prediction.evaluation_id == Detection.evaluation_id)
    )
    for row in chunks(connection, statement, Detection.evaluation_id):
        key, identity, n, found, pictures, set_key, task, classes, predicted = row
        where = f"evaluation {identity[:12]} (row {key})"
        if task != "detection":
            yield Problem(where, f"it has detections, and its dataset is one of {task}")
        if predicted is not None:
            yield Problem(where, "it has both predictions of classes and detections")
        if not n == found == pictures:
            what = f"it is over {n} pictures, has detections for {found}, of a set of {pictures}"
            yield Problem(where, what)
        try:
            arrays = detection_arrays(connection, key)
        except StoreError as error:
            yield Problem(where, error.what)
            continue
        most = max(int(arrays["classes"].max(initial=-1)), highest.get(set_key, -1))
        if most >= len(classes):
            yield Problem(where, f"class {most} is not among the {len(classes)} of its dataset")


def _picture_problems(
    connection: Connection, key: int, highest: dict[int, int]
) -> Iterator[Problem]:
    where = f"picture set {key}"
    try:
        pictures = read_picture_set(connection, key, ())
    except StoreError as error:
        yield Problem(where, error.what)
        return
    highest[key] = int(pictures.classes.max(initial=-1))
    stored = select(PictureSet.sha256).where(PictureSet.picture_set_id == key)
    if content_of(pictures) != connection.scalar(stored):
        yield Problem(where, "its content is not what was stored")
    rows = connection.execute(
        select(Picture.position, Picture.object_count)
        .where(Picture.picture_set_id == key)
        .order_by(Picture.position)
    )
    if [tuple(row) for row in rows] != list(enumerate(pictures.counts.tolist())):
        yield Problem(where, "its pictures do not have the places or objects that it says")


def detailed_score_problems(connection: Connection) -> Iterator[Problem]:
    """Scores of classes and pictures that their evaluation has no place for."""
    yield from _class_problems(connection)
    counted = (
        select(
            *(Evaluation.identity, Metric.name, Detection.n, func.count().label("found")),
            *(func.min(PictureScore.position), func.max(PictureScore.position)),
        )
        .join_from(PictureScore, Metric, Metric.metric_id == PictureScore.metric_id)
        .join(Evaluation, Evaluation.evaluation_id == PictureScore.evaluation_id)
        .outerjoin(Detection, Detection.evaluation_id == PictureScore.evaluation_id)
        .group_by(Evaluation.identity, Metric.name, Metric.version, Detection.n)
    )
    for identity, metric, n, found, first, last in connection.execute(counted):
        if (found, first, last) != (n, 0, (n or 0) - 1):
            yield Problem(
                f"scores {metric} of pictures of evaluation {identity[:12]}",
                f"there are {found} of them, for {n or 0} pictures",
            )


def _class_problems(connection: Connection) -> Iterator[Problem]:
    known = {
        key: set(classes)
        for key, classes in connection.execute(select(Dataset.dataset_id, Dataset.classes))
    }
    named = (
        select(Training.dataset_id, ClassScore.class_name, func.min(Evaluation.identity))
        .join_from(ClassScore, Evaluation, Evaluation.evaluation_id == ClassScore.evaluation_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .group_by(Training.dataset_id, ClassScore.class_name)
    )
    for dataset_id, name, identity in connection.execute(named):
        if name not in known[dataset_id]:
            where = f"score of a class of evaluation {identity[:12]}"
            yield Problem(where, f"its dataset has no class '{name}'")
    means = (
        select(Evaluation.identity, Score.value, func.avg(ClassScore.value))
        .join_from(Score, Metric, Metric.metric_id == Score.metric_id)
        .join(Evaluation, Evaluation.evaluation_id == Score.evaluation_id)
        .join(
            ClassScore,
            (ClassScore.evaluation_id == Score.evaluation_id)
            & (ClassScore.metric_id == Score.metric_id),
        )
        .where(Metric.name == _MEAN_OF_CLASSES)
        .group_by(Evaluation.identity, Metric.version, Score.value)
    )
    for identity, total, mean in connection.execute(means):
        if (total is None) != (mean is None) or (
            total is not None and abs(total - mean) > _MEAN_TOLERANCE
        ):
            yield Problem(
                f"score {_MEAN_OF_CLASSES} of evaluation {identity[:12]}",
                f"it is {total}, and the mean over its classes is {mean}",
            )

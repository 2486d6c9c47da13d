"""Writing and reading the rows that hold pictures and what detectors found in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import StoreError
from hfcbench.results import schema
from hfcbench.results.schema import Dataset, Detection, Evaluation, Picture, Training
from hfcbench.results.writing.detections import (
    DETECTION_ARRAYS,
    OBJECT_ARRAYS,
    PackedDetections,
    PackedPictures,
    unpack_detections,
    unpack_objects,
)
from hfcbench.results.writing.predictions import ENCODING, PackedArray, check_encoding
from hfcbench.results.writing.rows import insert_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DETECTION = "detection"


def insert_detections(connection: Connection, packed: Mapping[int, PackedDetections]) -> None:
    """Add detections by evaluation id; equal pictures are stored once.

    Raises:
        StoreError: their dataset is not one of detection, or has other classes.
    """
    if not packed:
        return
    _check_datasets(connection, packed)
    sets = {item.pictures.sha256: item.pictures for item in packed.values()}
    numbers = {sha256: _picture_set_id(connection, item) for sha256, item in sets.items()}
    insert_missing(
        connection,
        Detection,
        [
            {
                "evaluation_id": evaluation_id,
                "picture_set_id": numbers[item.pictures.sha256],
                "n": item.n,
                "detection_count": item.detection_count,
                "encoding": ENCODING,
                **array_columns(item.arrays),
            }
            for evaluation_id, item in packed.items()
        ],
    )


def read_detections(connection: Connection, identity: str) -> Detections:
    """The detections of an evaluation.

    Raises:
        StoreError: the evaluation is not in the database, or is none of detections, or its bytes
            are damaged.
    """
    row = connection.execute(
        select(Detection.evaluation_id, Detection.picture_set_id, Detection.n, Dataset.classes)
        .join_from(Detection, Evaluation, Evaluation.evaluation_id == Detection.evaluation_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(Evaluation.identity == identity)
    ).one_or_none()
    if row is None:
        known = connection.scalar(select(Evaluation.n).where(Evaluation.identity == identity))
        if known is None:
            raise StoreError(f"evaluation {identity[:12]} is not in the database")
        raise StoreError(f"evaluation {identity[:12]} holds predictions of classes, not detections")
    evaluation_id, picture_set_id, n, class_names = row
    pictures = read_picture_set(connection, picture_set_id, tuple(class_names))
    if len(pictures) != n:
        raise StoreError(
            f"evaluation {identity[:12]} is damaged: its detections are in {n} pictures, of "
            f"{len(pictures)}"
        )
    found = detection_arrays(connection, evaluation_id)
    for classes in (pictures.classes, found["classes"]):
        if len(classes) and classes.max() >= len(class_names):
            raise StoreError(
                f"evaluation {identity[:12]} is damaged: class {int(classes.max())} is not among "
                f"the {len(class_names)} of its dataset"
            )
    return Detections(pictures, found["counts"], found["boxes"], found["scores"], found["classes"])


def detection_arrays(connection: Connection, evaluation_id: int) -> dict[str, NDArray[Any]]:
    """What was found in an evaluation that has detections, by names of ``Detections``.

    Raises:
        StoreError: the bytes are damaged.
    """
    row = connection.execute(
        select(*_columns(Detection, "encoding", "n", "detection_count"))
        .add_columns(*_array_columns(Detection, DETECTION_ARRAYS))
        .where(Detection.evaluation_id == evaluation_id)
    ).one()
    check_encoding(row.encoding)
    return unpack_detections(packed_arrays(row, DETECTION_ARRAYS), row.n, row.detection_count)


def read_picture_set(
    connection: Connection, picture_set_id: int, class_names: tuple[str, ...]
) -> PictureSet:
    """The pictures of a set with their objects.

    Raises:
        StoreError: they are damaged.
    """
    table = schema.PictureSet
    row = connection.execute(
        select(*_columns(table, "encoding", "n", "object_count"))
        .add_columns(*_array_columns(table, OBJECT_ARRAYS))
        .where(table.picture_set_id == picture_set_id)
    ).one()
    check_encoding(row.encoding)
    objects = unpack_objects(packed_arrays(row, OBJECT_ARRAYS), row.n, row.object_count)
    pictures = connection.execute(
        select(Picture.name, Picture.height, Picture.width)
        .where(Picture.picture_set_id == picture_set_id)
        .order_by(Picture.position)
    ).all()
    if len(pictures) != row.n:
        raise StoreError(
            f"picture set {picture_set_id} is damaged: it has {len(pictures)} of {row.n} pictures"
        )
    names, heights, widths = zip(*pictures, strict=True) if pictures else ((), (), ())
    return PictureSet(
        names=names,
        heights=_whole(heights),
        widths=_whole(widths),
        class_names=class_names,
        **objects,
    )


def array_columns(arrays: Mapping[str, PackedArray]) -> dict[str, Any]:
    """The columns of packed arrays: for each its type and its bytes."""
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        columns |= {f"{name}_dtype": array.dtype, name: array.data}
    return columns


def packed_arrays(row: Any, names: Iterable[str]) -> dict[str, PackedArray]:
    """The packed arrays in a row that has the columns of :func:`array_columns`."""
    return {name: PackedArray(getattr(row, f"{name}_dtype"), getattr(row, name)) for name in names}


def _check_datasets(connection: Connection, packed: Mapping[int, PackedDetections]) -> None:
    """Positions of classes mean nothing without the names that the dataset has for them."""
    rows = connection.execute(
        select(Evaluation.evaluation_id, Dataset.task, Dataset.classes)
        .join_from(Evaluation, Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(Evaluation.evaluation_id.in_(list(packed)))
    )
    for evaluation_id, task, classes in rows:
        if task != _DETECTION:
            raise StoreError(f"detections cannot be stored for a dataset of {task}")
        if tuple(classes) != tuple(packed[evaluation_id].pictures.class_names):
            raise StoreError("detections cannot be stored: their dataset has other classes")


def _picture_set_id(connection: Connection, packed: PackedPictures) -> int:
    table = schema.PictureSet
    statement = select(table.picture_set_id).where(table.sha256 == packed.sha256)
    known = connection.scalar(statement)
    if known is not None:
        return known
    row = {
        "sha256": packed.sha256,
        "n": len(packed.rows),
        "object_count": packed.object_count,
        "encoding": ENCODING,
        **array_columns(packed.arrays),
    }
    insert_missing(connection, table, [row])
    number = connection.scalars(statement).one()
    names = ("name", "height", "width", "object_count")
    rows = [
        {"picture_set_id": number, "position": position, **dict(zip(names, values, strict=True))}
        for position, values in enumerate(packed.rows)
    ]
    insert_missing(connection, Picture, rows)
    return number


def _columns(table: type[schema.Base], *names: str) -> list[Any]:
    return [getattr(table, name) for name in names]


def _array_columns(table: type[schema.Base], names: Iterable[str]) -> list[Any]:
    return [column for name in names for column in _columns(table, f"{name}_dtype", name)]


def _whole(values: Iterable[int]) -> Any:
    import numpy as np

    return np.array(list(values), dtype=np.int64)

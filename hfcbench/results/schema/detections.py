"""Pictures with their objects, what detectors found in them, and scores of classes and pictures."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hfcbench.results.column_types import Bound
from hfcbench.results.schema.base import Base, Blob, Key, measured_number


class PictureSet(Base):
    """Pictures that detectors are asked about, stored once for all evaluations on them.

    ``sha256`` is that of names, sizes and objects; the latter are encoded as in
    ``writing/detections.py``.
    """

    __tablename__ = "picture_sets"

    picture_set_id: Mapped[Key]
    sha256: Mapped[str] = mapped_column(unique=True)
    n: Mapped[int]
    object_count: Mapped[int]
    encoding: Mapped[str]
    counts_dtype: Mapped[str]
    counts: Mapped[Blob]
    boxes_dtype: Mapped[str]
    boxes: Mapped[Blob]
    classes_dtype: Mapped[str]
    classes: Mapped[Blob]
    areas_dtype: Mapped[str]
    areas: Mapped[Blob]
    crowds_dtype: Mapped[str]
    crowds: Mapped[Blob]


class Picture(Base):
    """A picture of a set, by its place in it (0 is the first); sizes are in pixels."""

    __tablename__ = "pictures"
    __table_args__ = ({"sqlite_with_rowid": False},)

    picture_set_id: Mapped[int] = mapped_column(
        ForeignKey("picture_sets.picture_set_id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    height: Mapped[int]
    width: Mapped[int]
    object_count: Mapped[int]


class Detection(Base):
    """What a detector found in each of ``n`` pictures, encoded as in ``writing/detections.py``."""

    __tablename__ = "detections"

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    picture_set_id: Mapped[int] = mapped_column(ForeignKey("picture_sets.picture_set_id"))
    n: Mapped[int]
    detection_count: Mapped[int]
    encoding: Mapped[str]
    counts_dtype: Mapped[str]
    counts: Mapped[Blob]
    boxes_dtype: Mapped[str]
    boxes: Mapped[Blob]
    scores_dtype: Mapped[str]
    scores: Mapped[Blob]
    classes_dtype: Mapped[str]
    classes: Mapped[Blob]


class ClassScore(Base):
    """A metric over the objects of one class, with its 95% interval; ``n`` counts objects."""

    __tablename__ = "class_scores"
    __table_args__ = (*measured_number(), {"sqlite_with_rowid": False})

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.metric_id"), primary_key=True)
    class_name: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    value: Mapped[float | None]
    state: Mapped[str]
    low: Mapped[float | None] = mapped_column(Bound)
    high: Mapped[float | None] = mapped_column(Bound)


class PictureScore(Base):
    """A metric over one picture alone, by its place in the evaluation's picture set."""

    __tablename__ = "picture_scores"
    __table_args__ = (*measured_number(), {"sqlite_with_rowid": False})

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.metric_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    state: Mapped[str]

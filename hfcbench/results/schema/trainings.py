"""Datasets, and what was trained on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hfcbench.results.schema.base import Base, JSONText, Key, Large, measured_number

_TASK = "task IN ('classification', 'detection')"


class Dataset(Base):
    """A dataset by content: ``fingerprint`` is the sha256 of what was decoded.

    ``task`` says what it is for, and so which metric ranks models on it.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("name", "version", "fingerprint"),
        CheckConstraint(_TASK, name="task"),
    )

    dataset_id: Mapped[Key]
    name: Mapped[str]
    version: Mapped[str]
    fingerprint: Mapped[str]
    parameters: Mapped[JSONText]
    classes: Mapped[JSONText]
    channels: Mapped[int]
    height: Mapped[int]
    width: Mapped[int]
    sizes: Mapped[JSONText]
    source: Mapped[str]
    task: Mapped[str] = mapped_column(server_default="classification")


class Training(Base):
    """A finished training; the labels are for people, ``specification`` is the whole truth.

    ``configuration`` is the sha256 of the specification without the seed: trainings that share it
    are repetitions of each other. ``scale`` is ``full``, or ``quick`` where a suite was shrunk.
    ``curve_seconds`` is the part of the duration that measuring the curves took; NULL where it
    was not taken.
    """

    __tablename__ = "trainings"

    training_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(unique=True)
    configuration: Mapped[str] = mapped_column(index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.dataset_id"), index=True)
    scale: Mapped[str]
    model: Mapped[str]
    model_version: Mapped[str | None]
    heuristics: Mapped[str]
    trained_on: Mapped[str]
    decomposition: Mapped[str | None]
    rescaling: Mapped[str | None]
    seed: Mapped[Large]
    epochs: Mapped[int]
    parameter_count: Mapped[Large]
    device: Mapped[str]
    started_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    specification: Mapped[JSONText]
    curve_seconds: Mapped[float | None]


class TrainingHeuristic(Base):
    """One heuristic of a training, in the order in which they apply; vanilla has none."""

    __tablename__ = "training_heuristics"

    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    label: Mapped[str]


class Artifact(Base):
    """A file that belongs to a training; ``path`` is relative to the artifacts folder."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("training_id", "kind", "path"),)

    artifact_id: Mapped[Key]
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"))
    kind: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[Large]


def _unique_where(name: str, columns: str, condition: str) -> Index:
    where = text(condition)
    return Index(name, *columns.split(), unique=True, sqlite_where=where, postgresql_where=where)


_CURVE = "training_id split component metric n"


class Curve(Base):
    """What was measured after each epoch of a training, on ``n`` images of a split."""

    __tablename__ = "curves"
    # Two indexes, because NULLs never equal each other: originals have no decomposition.
    __table_args__ = (
        _unique_where(
            "uq_curves_part", f"{_CURVE} decomposition rescaling", "decomposition IS NOT NULL"
        ),
        _unique_where("uq_curves_original", _CURVE, "decomposition IS NULL"),
    )

    curve_id: Mapped[Key]
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"), index=True)
    split: Mapped[str]
    component: Mapped[str]
    decomposition: Mapped[str | None]
    rescaling: Mapped[str | None]
    metric: Mapped[str]
    n: Mapped[int]


class Epoch(Base):
    """A curve's point after an epoch (1 is the first)."""

    __tablename__ = "epochs"
    __table_args__ = (*measured_number(), {"sqlite_with_rowid": False})

    curve_id: Mapped[int] = mapped_column(ForeignKey("curves.curve_id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    state: Mapped[str]

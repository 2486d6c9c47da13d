"""The tables. A change here needs an Alembic revision and a golden database for it.

Besides these the first revision creates the views ``leaderboard`` and ``robustness``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hfcbench.results.column_types import Bound, CanonicalJSON, UTCDateTime

Key = Annotated[int, mapped_column(primary_key=True)]
Large = Annotated[int, mapped_column(BigInteger)]
JSONText = Annotated[Any, mapped_column(CanonicalJSON)]
Blob = Annotated[bytes, mapped_column(LargeBinary)]

_STATES = "state IN ('finite', 'nan', 'infinity', '-infinity')"
_VALUE = "(state = 'finite') = (value IS NOT NULL)"


class Base(DeclarativeBase):
    """All tables; constraints have names, so that revisions can change them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {str: Text, float: Double, datetime: UTCDateTime}  # noqa: RUF012


class Run(Base):
    """One invocation: when, by which command, where, with which versions.

    ``status`` is ``running`` from the start on; a killed run keeps it, with ``finished_at`` NULL.
    """

    __tablename__ = "runs"

    run_id: Mapped[Key]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    status: Mapped[str]
    command: Mapped[str]
    suite: Mapped[str]
    hfcbench_version: Mapped[str]
    python_version: Mapped[str]
    torch_version: Mapped[str]
    cuda_version: Mapped[str | None]
    git_revision: Mapped[str | None]
    git_dirty: Mapped[bool | None]
    host: Mapped[str]
    platform: Mapped[str]
    device: Mapped[str]


class Plugin(Base):
    """A version of a plugin that some run had loaded."""

    __tablename__ = "plugins"
    __table_args__ = (UniqueConstraint("name", "distribution", "version"),)

    plugin_id: Mapped[Key]
    name: Mapped[str]
    distribution: Mapped[str]
    version: Mapped[str]


class RunPlugin(Base):
    """Which plugins a run had loaded."""

    __tablename__ = "run_plugins"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    plugin_id: Mapped[int] = mapped_column(ForeignKey("plugins.plugin_id"), primary_key=True)


class Dataset(Base):
    """A dataset by content: ``fingerprint`` is the sha256 of what was decoded."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("name", "version", "fingerprint"),)

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


class Training(Base):
    """A finished training; the labels are for people, ``specification`` is the whole truth."""

    __tablename__ = "trainings"

    training_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.dataset_id"), index=True)
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
    __table_args__ = (
        CheckConstraint(_STATES, name="state"),
        CheckConstraint(_VALUE, name="value"),
        {"sqlite_with_rowid": False},
    )

    curve_id: Mapped[int] = mapped_column(ForeignKey("curves.curve_id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    state: Mapped[str]


class Evaluation(Base):
    """A finished evaluation of a training under one condition, over ``n`` images.

    ``defence`` and ``attack`` are labels or ``none``; originals have no decomposition.
    """

    __tablename__ = "evaluations"
    __table_args__ = (Index("ix_evaluations_training_id_attack", "training_id", "attack"),)

    evaluation_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(unique=True)
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    split: Mapped[str]
    defence: Mapped[str]
    defence_version: Mapped[str | None]
    attack: Mapped[str]
    attack_version: Mapped[str | None]
    epsilon: Mapped[float | None]
    component: Mapped[str]
    part: Mapped[str]
    cutoff: Mapped[float | None]
    cutoff_inner: Mapped[float | None]
    decomposition: Mapped[str | None]
    decomposition_version: Mapped[str | None]
    rescaling: Mapped[str | None]
    n: Mapped[int]
    device: Mapped[str]
    started_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    specification: Mapped[JSONText]


class Score(Base):
    """A metric over one evaluation with its 95% interval.

    ``state`` tells finite values from NaN and the infinities, whose ``value`` is NULL: SQL then
    neither averages nor ranks them, and Python gets back what was measured.
    """

    __tablename__ = "scores"
    __table_args__ = (
        CheckConstraint(_STATES, name="state"),
        CheckConstraint(_VALUE, name="value"),
        {"sqlite_with_rowid": False},
    )

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    metric: Mapped[str] = mapped_column(primary_key=True)
    metric_version: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    state: Mapped[str]
    low: Mapped[float | None] = mapped_column(Bound)
    high: Mapped[float | None] = mapped_column(Bound)
    n: Mapped[int]


class LabelSet(Base):
    """The true classes of some images, stored once for all evaluations on those images."""

    __tablename__ = "label_sets"

    label_set_id: Mapped[Key]
    sha256: Mapped[str] = mapped_column(unique=True)
    n: Mapped[int]
    encoding: Mapped[str]
    labels_dtype: Mapped[str]
    labels: Mapped[Blob]


class Prediction(Base):
    """What one evaluation answered for each image, encoded as in ``writing/predictions.py``."""

    __tablename__ = "predictions"

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    label_set_id: Mapped[int] = mapped_column(ForeignKey("label_sets.label_set_id"))
    n: Mapped[int]
    encoding: Mapped[str]
    predicted_dtype: Mapped[str]
    predicted: Mapped[Blob]
    confidence_dtype: Mapped[str]
    confidence: Mapped[Blob]
    loss_dtype: Mapped[str]
    loss: Mapped[Blob]


class Failure(Base):
    """A node that could not be finished in a run; rows are only ever added."""

    __tablename__ = "failures"
    __table_args__ = (CheckConstraint("kind IN ('training', 'evaluation')", name="kind"),)

    failure_id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    identity: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    label: Mapped[str]
    error: Mapped[str]
    traceback: Mapped[str]
    failed_at: Mapped[datetime]

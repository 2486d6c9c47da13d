"""Conditions, evaluations under them, and their scores: a fact table with its dimensions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hfcbench.results.column_types import Bound
from hfcbench.results.schema.base import Base, Blob, JSONText, Key, measured_number


class Condition(Base):
    """What a model is evaluated under, whichever model it is; a few rows for any number of scores.

    ``defence`` and ``attack`` are labels or ``none``; originals have no decomposition. Of an
    attack, ``attack_norm`` says what its epsilon limits, ``criterion``, ``attack_mode`` and
    ``attack_precision`` how its images were searched for, as :class:`hfcbench.attack_types.Search`
    does, and ``smaller_epsilons``, separated by commas, which were searched before. ``procedure``
    is the version of the evaluation engine. ``digest`` is the sha256 of the other columns, since
    NULLs never equal each other.
    """

    __tablename__ = "conditions"

    condition_id: Mapped[Key]
    digest: Mapped[str] = mapped_column(unique=True)
    procedure: Mapped[str]
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
    attack_norm: Mapped[str | None]
    criterion: Mapped[str | None]
    attack_mode: Mapped[str | None]
    attack_precision: Mapped[str | None]
    smaller_epsilons: Mapped[str | None]


class Evaluation(Base):
    """A finished evaluation of a training under one condition, over ``n`` images."""

    __tablename__ = "evaluations"
    __table_args__ = (
        Index("ix_evaluations_training_id_condition_id", "training_id", "condition_id"),
    )

    evaluation_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(unique=True)
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    n: Mapped[int]
    device: Mapped[str]
    started_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    specification: Mapped[JSONText]
    condition_id: Mapped[int] = mapped_column(ForeignKey("conditions.condition_id"))


class Metric(Base):
    """A version of a metric."""

    __tablename__ = "metrics"
    __table_args__ = (UniqueConstraint("name", "version"),)

    metric_id: Mapped[Key]
    name: Mapped[str]
    version: Mapped[str]
    higher_is_better: Mapped[bool]


class Score(Base):
    """A metric over one evaluation with its 95% interval.

    ``training_id``, ``condition_id`` and ``n`` repeat the evaluation's, so that one index answers
    how all models did under a condition.
    """

    __tablename__ = "scores"
    __table_args__ = (
        *measured_number(),
        Index("ix_scores_ranking", "metric_id", "condition_id", "training_id", "n", "value"),
        {"sqlite_with_rowid": False},
    )

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.metric_id"), primary_key=True)
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"))
    condition_id: Mapped[int] = mapped_column(ForeignKey("conditions.condition_id"))
    n: Mapped[int]
    value: Mapped[float | None]
    state: Mapped[str]
    low: Mapped[float | None] = mapped_column(Bound)
    high: Mapped[float | None] = mapped_column(Bound)


class ReliabilityCheck(Base):
    """How far a score under attack is to be trusted: a sign of doubt, measured on ``n`` images.

    ``name`` is one of :mod:`hfcbench.reliability_checks`; ``flagged`` says that ``value`` is above
    ``threshold`` (NULL: there is no limit).
    """

    __tablename__ = "reliability_checks"
    __table_args__ = ({"sqlite_with_rowid": False},)

    evaluation_id: Mapped[int] = mapped_column(
        ForeignKey("evaluations.evaluation_id"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]
    threshold: Mapped[float | None]
    flagged: Mapped[bool]
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

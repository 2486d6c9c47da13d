"""Analyses of trainings, and the quantities that they found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hfcbench.results.column_types import Bound
from hfcbench.results.schema.base import Base, JSONText, Key


class Analysis(Base):
    """A finished analysis of a training under a defence, over ``n`` images of a split.

    ``analysis``, ``defence`` and ``attack`` are labels; the last two may be ``none``.
    """

    __tablename__ = "analyses"

    analysis_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(unique=True)
    training_id: Mapped[int] = mapped_column(ForeignKey("trainings.training_id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    analysis: Mapped[str]
    analysis_version: Mapped[str]
    split: Mapped[str]
    defence: Mapped[str]
    attack: Mapped[str]
    epsilon: Mapped[float | None]
    n: Mapped[int]
    device: Mapped[str]
    started_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    specification: Mapped[JSONText]


class Quantity(Base):
    """What an analysis found: one number, or an array with a meaning for each axis.

    A single number lies in ``value``, ``low`` and ``high`` (NULL is NaN). An array lies in
    ``array``, ``array_low`` and ``array_high``, encoded as ``writing/quantities.py`` says; its
    ``axes`` is a list of name, unit and positions.
    """

    __tablename__ = "quantities"
    __table_args__ = (UniqueConstraint("analysis_id", "name"),)

    quantity_id: Mapped[Key]
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.analysis_id"))
    name: Mapped[str]
    unit: Mapped[str]
    n: Mapped[int]
    axes: Mapped[JSONText]
    value: Mapped[float | None] = mapped_column(Bound)
    low: Mapped[float | None] = mapped_column(Bound)
    high: Mapped[float | None] = mapped_column(Bound)
    dtype: Mapped[str | None]
    array: Mapped[bytes | None] = mapped_column(LargeBinary)
    array_low: Mapped[bytes | None] = mapped_column(LargeBinary)
    array_high: Mapped[bytes | None] = mapped_column(LargeBinary)

"""Who computed what, who is computing, and what went wrong."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hfcbench.results.schema.base import Base, JSONText, Key

_KIND = "kind IN ('training', 'evaluation', 'analysis')"


class Run(Base):
    """One invocation: when, by which command, where, with which versions.

    ``uuid`` names it in every database that it was merged into. ``status`` is ``running`` from
    the start on; a killed run keeps it, with ``finished_at`` NULL. ``packages`` holds the versions
    of the distributions that numbers depend on.
    """

    __tablename__ = "runs"

    run_id: Mapped[Key]
    uuid: Mapped[str] = mapped_column(unique=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    status: Mapped[str]
    command: Mapped[str]
    suite: Mapped[str]
    hfcbench_version: Mapped[str]
    python_version: Mapped[str]
    torch_version: Mapped[str]
    cuda_version: Mapped[str | None]
    driver_version: Mapped[str | None]
    packages: Mapped[JSONText]
    git_revision: Mapped[str | None]
    git_dirty: Mapped[bool | None]
    host: Mapped[str]
    platform: Mapped[str]
    device: Mapped[str]
    device_name: Mapped[str | None]


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


class Failure(Base):
    """A node that could not be finished in a run; rows are only ever added."""

    __tablename__ = "failures"
    __table_args__ = (CheckConstraint(_KIND, name="kind"),)

    failure_id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    identity: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    label: Mapped[str]
    error: Mapped[str]
    traceback: Mapped[str]
    failed_at: Mapped[datetime]


class Note(Base):
    """What people should know about how a run did something; rows are only ever added.

    ``kind`` says of what: a training, or its evaluations or analyses.
    """

    __tablename__ = "notes"
    __table_args__ = (CheckConstraint(_KIND, name="kind"),)

    note_id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    training_identity: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    label: Mapped[str]
    note: Mapped[str]
    noted_at: Mapped[datetime]


class Claim(Base):
    """A training, with its evaluations, that a process is working on right now.

    The row goes when the work is done. A claim whose ``heartbeat_at`` is too long ago, or whose
    process is gone from its ``machine``, is free to be taken over.
    """

    __tablename__ = "claims"

    training_identity: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    machine: Mapped[str]
    process_id: Mapped[int]
    process_started: Mapped[float]
    claimed_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]


class Disagreement(Base):
    """A second result of a known identity that differs from the first, kept whole when merging.

    ``content`` holds the other result's rows; ``digest`` is the sha256 of that text.
    """

    __tablename__ = "disagreements"
    __table_args__ = (CheckConstraint(_KIND, name="kind"),)

    disagreement_id: Mapped[Key]
    identity: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    found_at: Mapped[datetime]
    summary: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    content: Mapped[JSONText]

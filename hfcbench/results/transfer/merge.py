"""Joining the databases of several machines by identity: nothing doubled, nothing lost."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine

from hfcbench.errors import StoreError
from hfcbench.results.database.engine import writing
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.readiness import ready_engine
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.database.sqlite_files import copy_database
from hfcbench.results.transfer.merging import Merging
from hfcbench.results.transfer.status import status_of

_TIMEOUT_SECONDS = 60.0


@dataclass
class MergeReport:
    """What a merge did.

    Attributes:
        added: rows that the target did not have, by table.
        known: trainings and evaluations that both have, with equal results.
        disagreements: one sentence for each result that differs between the two.
    """

    added: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)


def merge(target: DatabaseLocation, source: DatabaseLocation) -> MergeReport:
    """Add everything of ``source`` that ``target`` lacks, in one transaction.

    Where both have a result of one identity and the two differ, the target keeps its own, and the
    other is kept whole in the table ``disagreements``. So are evaluations of a training whose
    checkpoint differs: they belong to a model that the target does not have. The source is only
    read; one of an older revision is upgraded in a copy.

    Raises:
        StoreError: one of them cannot be read or written, or they are the same.
    """
    if target == source:
        raise StoreError(f"the database {target} cannot be merged into itself")
    report = MergeReport()
    with (
        _reading(source) as read,
        _engine(target, create=True) as engine,
        explained(target),
        writing(engine).begin() as write,
    ):
        Merging(read, write, report.added, report.known, report.disagreements)()
    return report


@contextmanager
def _reading(source: DatabaseLocation) -> Iterator[Connection]:
    """A connection to the source, or to an upgraded copy of it."""
    status = status_of(source)
    if status.revision == REVISIONS[-1] or source.path is None:
        with _engine(source, read_only=True) as engine, engine.connect() as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="hfcbench-merge-") as folder:
        copy = DatabaseLocation(path=Path(folder) / "source.db")
        with explained(source):
            copy_database(source.path, Path(folder) / "source.db")
        with _engine(copy) as engine, engine.connect() as connection:
            yield connection


@contextmanager
def _engine(
    location: DatabaseLocation, *, create: bool = False, read_only: bool = False
) -> Iterator[Engine]:
    engine = ready_engine(
        location, create=create, read_only=read_only, busy_timeout_seconds=_TIMEOUT_SECONDS
    )
    try:
        yield engine
    finally:
        engine.dispose()

"""Joining the databases of several machines by identity: nothing doubled, nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from hfcbench.errors import StoreError
from hfcbench.results.database.engine import writing
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.readiness import ready_engine
from hfcbench.results.transfer.merging import Merging
from hfcbench.results.transfer.reading import reading

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
    if _same(target, source):
        raise StoreError(f"the database {target} cannot be merged into itself")
    report = MergeReport()
    with (
        reading(source) as read,
        _engine(target) as engine,
        explained(target),
        writing(engine).begin() as write,
    ):
        _require_whole(read, source)
        Merging(read, write, report.added, report.known, report.disagreements)()
    return report


def _require_whole(source: Connection, location: DatabaseLocation) -> None:
    """Rows of a source that point nowhere have no place in the target."""
    if location.path is None:
        return
    broken = source.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(
            f"{location} is damaged: a row of {broken[0]} points nowhere; nothing was merged",
            hint=f"hfcbench db check --db {location} shows what is wrong with it",
        )


def _same(target: DatabaseLocation, source: DatabaseLocation) -> bool:
    if target.path is not None and source.path is not None and target.path.exists():
        return source.path.exists() and target.path.samefile(source.path)
    return target == source


@contextmanager
def _engine(location: DatabaseLocation) -> Iterator[Engine]:
    engine = ready_engine(
        location, create=True, read_only=False, busy_timeout_seconds=_TIMEOUT_SECONDS
    )
    try:
        yield engine
    finally:
        engine.dispose()

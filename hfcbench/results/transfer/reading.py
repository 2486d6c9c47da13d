"""Databases that are only read: as they were at one moment, and at the newest schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.readiness import ready_engine
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.database.sqlite_files import copy_database
from hfcbench.results.transfer.status import status_of

_TIMEOUT_SECONDS = 60.0


@contextmanager
def reading(source: DatabaseLocation) -> Iterator[Connection]:
    """A connection to a database, or to an upgraded copy of a file of an older revision.

    Raises:
        StoreError: it cannot be read, or is older and on a server.
    """
    status = status_of(source)
    if status.revision in (None, REVISIONS[-1]) or source.path is None:
        with _connection(source, read_only=True) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="hfcbench-") as folder:
        copy = DatabaseLocation(path=Path(folder) / "source.db")
        with explained(source):
            copy_database(source.path, Path(folder) / "source.db")
        with _connection(copy, read_only=False) as connection:
            yield connection


@contextmanager
def _connection(location: DatabaseLocation, *, read_only: bool) -> Iterator[Connection]:
    engine = ready_engine(
        location, create=False, read_only=read_only, busy_timeout_seconds=_TIMEOUT_SECONDS
    )
    if location.path is None:
        # One moment for all tables, as an SQLite transaction has it; others may be writing.
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with explained(location), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()

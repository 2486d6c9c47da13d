"""What a database is and holds, without changing anything about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, inspect, select, table, text

from hfcbench.results.database.engine import make_engine
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.inspection import revision_of
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.revisions import REVISIONS


@dataclass(frozen=True)
class Status:
    """A database at a glance.

    Attributes:
        revision: of its schema; None for an empty database.
        newest: the revision that this hfcbench reads and writes.
        size_bytes: of the file with what lies beside it, or of the database on a server.
        rows: per table, in alphabetical order.
        unfinished_runs: runs that were started and neither finished nor interrupted: still going
            on, or killed.
    """

    place: str
    revision: str | None
    newest: str
    size_bytes: int
    rows: Mapping[str, int]
    unfinished_runs: int


def status_of(location: DatabaseLocation) -> Status:
    """Describe a database, also one of an older or newer hfcbench.

    Raises:
        StoreError: it cannot be read, or is none of hfcbench's.
    """
    with explained(location):
        engine = make_engine(location, read_only=True, busy_timeout_seconds=30)
        try:
            with engine.connect() as connection:
                revision = revision_of(connection, location)
                names = sorted(inspect(connection).get_table_names())
                rows = {
                    name: connection.scalar(select(func.count()).select_from(table(name))) or 0
                    for name in names
                    if name != "alembic_version"
                }
                running = "SELECT count(*) FROM runs WHERE status = 'running'"
                unfinished = connection.scalar(text(running)) if "runs" in rows else 0
                if location.path is None:
                    size = connection.scalar(text("SELECT pg_database_size(current_database())"))
                else:
                    log = location.path.with_name(location.path.name + "-wal")
                    files = (location.path, log)
                    size = sum(file.stat().st_size for file in files if file.exists())
        finally:
            engine.dispose()
    return Status(
        str(location), revision, REVISIONS[-1], int(size or 0), rows, int(unfinished or 0)
    )

"""Creating and upgrading databases. The only place, beside the revisions, that needs Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from hfcbench.errors import StoreError
from hfcbench.results.database import revisions
from hfcbench.results.database.engine import make_engine, writing
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.inspection import revision_of
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.sqlite_files import copy_database

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for revisions that run on a connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def create_or_upgrade(location: DatabaseLocation, *, busy_timeout_seconds: float) -> Path | None:
    """Bring a missing, empty or older database to the newest revision, in one transaction.

    An SQLite file with results is copied first; returns the copy's path. Of several processes
    that do this at once, one does the work and the others find it done.

    Raises:
        StoreError: it cannot be written, or a newer hfcbench made it.
    """
    newest = revisions.REVISIONS[-1]
    with _rebuilding(location, busy_timeout_seconds) as connection:
        found = revision_of(connection, location)
        if found is not None and revisions.is_current(found, str(location)):
            return None
        copy = _copy_before(location, found)
        command.upgrade(alembic_config(connection), newest)
    return copy


def downgrade(
    location: DatabaseLocation, revision: str, *, busy_timeout_seconds: float = 30.0
) -> Path | None:
    """Bring a database back to an older revision, for an older hfcbench, in one transaction.

    An SQLite file is copied first, since the older tables cannot hold everything; returns the
    copy's path.

    Raises:
        StoreError: there is no such revision, the database is older, or it cannot be written.
    """
    with _rebuilding(location, busy_timeout_seconds) as connection:
        found = revision_of(connection, location)
        known = revisions.REVISIONS
        if (
            found not in known
            or revision not in known
            or known.index(revision) > known.index(found)
        ):
            raise StoreError(f"the database {location} cannot go from {found} to {revision}")
        copy = _copy_before(location, found)
        command.downgrade(alembic_config(connection), revision)
    return copy


@contextmanager
def _rebuilding(location: DatabaseLocation, busy_timeout_seconds: float) -> Iterator[Connection]:
    """A write transaction in which tables may be rebuilt: foreign keys are checked at its end."""
    engine = make_engine(
        location,
        read_only=False,
        busy_timeout_seconds=busy_timeout_seconds,
        create=True,
        foreign_keys=False,
    )
    try:
        with explained(location), writing(engine).begin() as connection:
            yield connection
            if location.path is not None:
                _check_foreign_keys(connection, location)
    finally:
        engine.dispose()


def _copy_before(location: DatabaseLocation, found: str | None) -> Path | None:
    if found is None or location.path is None:
        return None
    return back_up(location.path, found)


def back_up(path: Path, revision: str) -> Path:
    """Copy a whole SQLite database beside itself; returns the copy's path.

    The copy is complete or absent, and never replaces an earlier one.
    """
    copy = _free_name(path.with_name(f"{path.name}.revision-{revision}.backup"))
    copy_database(path, copy)
    return copy


def _free_name(path: Path) -> Path:
    candidate, number = path, 2
    while candidate.exists():
        candidate, number = path.with_name(f"{path.name}.{number}"), number + 1
    return candidate


def _check_foreign_keys(connection: Connection, location: DatabaseLocation) -> None:
    """Foreign keys are off while revisions rebuild tables; what they leave must be whole."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StoreError(
            f"the database {location} has {len(broken)} rows that point nowhere, "
            f"first in table {broken[0][0]}; it was left as it was",
            hint="restore it from a copy",
        )

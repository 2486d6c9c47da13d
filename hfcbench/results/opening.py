"""Opening results databases. Importing this loads neither SQLAlchemy nor Alembic nor pandas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.errors import StoreError
from hfcbench.results.database.location import DatabaseLocation, parse_location

if TYPE_CHECKING:
    from hfcbench.results.store import Store

_NONE_YET = "run a suite to make it (hfcbench run --db ...), or name another one with --db"


def database_exists(url_or_path: str | Path) -> bool:
    """Whether there is a database with a schema; True for any server, which only opening tells.

    Raises:
        StoreError: neither a path nor a supported URL.
    """
    from hfcbench.results.database.sqlite_files import has_tables

    path = parse_location(url_or_path).path
    return path is None or (path.is_file() and has_tables(path))


def open_store(
    url_or_path: str | Path,
    *,
    create: bool = False,
    read_only: bool = False,
    busy_timeout_seconds: float = 30.0,
) -> Store:
    """Open a results database; close the store when done, or use it in a ``with`` statement.

    A database of an older hfcbench is upgraded when it is opened for writing; an SQLite file is
    copied to ``NAME.revision-OLD.backup`` before.

    Args:
        url_or_path: an SQLite file, ``sqlite:///PATH`` or ``postgresql://USER@HOST/DATABASE``.
        create: make the database if there is none.
        read_only: never write, not even an upgrade.
        busy_timeout_seconds: how long to wait for another process that is writing.

    Raises:
        StoreError: there is no such database, it is none of hfcbench's, it is newer than this
            hfcbench, or it cannot be read (or written, unless ``read_only``).
    """
    if create and read_only:
        raise ValueError("a database cannot be both created and opened read-only")
    location = parse_location(url_or_path)
    _check_path(location, create)

    from hfcbench.results.database.readiness import ready_engine
    from hfcbench.results.store import Store

    engine = ready_engine(
        location, create=create, read_only=read_only, busy_timeout_seconds=busy_timeout_seconds
    )
    return Store(location, engine, read_only=read_only, busy_timeout_seconds=busy_timeout_seconds)


def _check_path(location: DatabaseLocation, create: bool) -> None:
    path = location.path
    if path is None:
        return
    try:
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a database", hint=_NONE_YET)
        if path.exists():
            return
        if not create:
            raise StoreError(f"there is no results database at {path}", hint=_NONE_YET)
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error}") from error

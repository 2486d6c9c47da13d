"""A complete copy of a database file."""

from __future__ import annotations

from pathlib import Path

from hfcbench.errors import StoreError
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.sqlite_files import copy_database


def back_up_to(location: DatabaseLocation, target: Path) -> int:
    """Copy an SQLite database, also while others write to it; returns the copy's size in bytes.

    The copy is complete or absent.

    Raises:
        StoreError: there is a file at ``target``, or the database is on a server or cannot be read.
    """
    if location.path is None:
        raise StoreError(
            f"the database {location} is on a server, which makes its own copies",
            hint="pg_dump copies it; `hfcbench db export` writes it to files",
        )
    if not location.path.is_file():
        raise StoreError(f"there is no results database at {location}")
    if target.exists():
        raise StoreError(f"there is a file at {target} already", hint="name another one")
    try:
        with explained(location):
            copy_database(location.path, target)
    except OSError as error:
        raise StoreError(f"the copy {target} cannot be written: {error.strerror}") from error
    return target.stat().st_size

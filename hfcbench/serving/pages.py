"""Datasette on one results database, which nothing that it does can change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from hfcbench.results.database.sqlite_files import reading_uri
from hfcbench.results.meanings import view_meanings
from hfcbench.results.schema import Base
from hfcbench.serving import connections
from hfcbench.serving.connections import NAME
from hfcbench.serving.descriptions import metadata
from hfcbench.serving.ready_queries import ready_queries

_SETTINGS = {
    # A view over a million scores takes seconds; a question without end must end.
    "sql_time_limit_ms": 10_000,
    "facet_time_limit_ms": 1_000,
    # Trying each column of a view takes longer than showing it.
    "suggest_facets": False,
    "max_returned_rows": 10_000,
    "default_page_size": 100,
    "max_csv_mb": 500,
    # Runs may add results while the pages are shown.
    "default_cache_ttl": 0,
}


class _ReadOnlyDatabase(Database):  # type: ignore[misc]  # Datasette has no types.
    """A file that every connection opens for reading only."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        if write:
            raise sqlite3.OperationalError("the database is served read-only")
        connection = open_for_reading(Path(self.path))
        self._all_file_connections.append(connection)
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write: not even SQLite's files beside a file that is immutable."""
    uri = _uri(path)
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    # The file may be anyone's: its views may not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def pages(path: Path) -> Any:
    """Datasette, whose method ``app()`` is an ASGI application."""
    described = metadata(NAME, ready_queries(), _columns(path))
    # Datasette has one plugin manager for all of its instances.
    if not pm.is_registered(connections):
        pm.register(connections)
    found = Datasette([], metadata=described, settings=_SETTINGS)
    found.remove_database("_memory")
    mutable = "immutable=1" not in _uri(path)
    found.add_database(_ReadOnlyDatabase(found, str(path), is_mutable=mutable), name=NAME)
    return found


def _uri(path: Path) -> str:
    return reading_uri(path).replace("mode=rw", "mode=ro")


def _columns(path: Path) -> dict[str, list[str]]:
    """Of each table and view of hfcbench; there may be others in the file."""
    with closing(open_for_reading(path)) as connection:
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in (*Base.metadata.tables, *view_meanings())
        }

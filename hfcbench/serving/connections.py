"""What Datasette does with each new connection to the results: a plugin, in its words."""

from __future__ import annotations

import sqlite3

from datasette import hookimpl

from hfcbench.serving.functions import add_functions

NAME = "results"
"""What the database is called in links, wherever its file lies."""


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Make the functions of the ready queries known; Datasette chose the arguments' names."""
    if database == NAME:
        add_functions(conn)

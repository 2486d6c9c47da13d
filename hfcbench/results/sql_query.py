"""Answering SQL from users without any way to write, attach or load something."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from hfcbench.errors import StoreError
from hfcbench.results.engine import reading_uri

Answer = tuple[list[str], list[tuple[Any, ...]]]

_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DESCRIBING_PRAGMAS = {
    *("table_info", "table_xinfo", "table_list", "index_list", "index_info"),
    *("foreign_key_list", "foreign_key_check", "integrity_check", "quick_check"),
}
_LOADING_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_REFUSED = "a query can only read, and this one does something else"
_HINT = "write a single SELECT statement"


def query_sqlite(path: Path, sql: str, *, busy_timeout_seconds: float) -> Answer:
    """Run one reading statement on a connection of its own.

    Raises:
        StoreError: the statement would do anything but read, or cannot be answered.
    """
    uri = reading_uri(path).replace("mode=rw", "mode=ro")
    with closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout_seconds)) as connection:
        connection.execute("PRAGMA query_only = ON")
        # Columns of the schema that this file claims must not call functions with side effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_authorizer(_authorize)
        try:
            cursor = connection.execute(sql)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise _refusal(error) from error
        return [column[0] for column in cursor.description or ()], rows


def query_postgresql(engine: Engine, sql: str) -> Answer:
    """Run one statement in a read-only transaction, which is rolled back.

    Raises:
        StoreError: the statement returns no rows.
    """
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            # A prepared statement is a single one: nobody can end the transaction and go on.
            cursor.execute(sql, prepare=True)
            if cursor.description is None:
                raise StoreError(_REFUSED, hint=_HINT)
            return [column.name for column in cursor.description], cursor.fetchall()


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = second not in _LOADING_FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        # table_info(NAME) has an argument; anything = VALUE would set something.
        allowed = first in _DESCRIBING_PRAGMAS
    else:
        allowed = action in _READS
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _refusal(error: sqlite3.Error) -> StoreError | sqlite3.Error:
    code = getattr(error, "sqlite_errorcode", None)
    if code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
        return StoreError(f"{_REFUSED} ({error})", hint=_HINT)
    if code in (sqlite3.SQLITE_ERROR, None):
        return StoreError(
            f"the query cannot be answered: {error}",
            hint='tables and views: hfcbench query "select name from sqlite_master"',
        )
    return error

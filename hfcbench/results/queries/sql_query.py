"""Answering SQL from users without any way to write, attach or load something."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from hfcbench.errors import StoreError
from hfcbench.results.database.sqlite_files import let_interrupt, reading_uri

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
_READ_ONLY_TRANSACTION = "25006"
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
        # A view may count without end.
        let_interrupt(connection)
        try:
            cursor = connection.execute(sql)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise _refusal(error) from error
        return [column[0] for column in cursor.description or ()], rows


def query_postgresql(engine: Engine, sql: str) -> Answer:
    """Run one reading statement in a read-only transaction, which is rolled back.

    Raises:
        StoreError: the statement would do anything but read, or cannot be answered.
    """
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        driver: Any = connection.connection.driver_connection
        errors: Any = connection.dialect.dbapi
        try:
            with driver.cursor() as cursor:
                # A cursor takes nothing but a query, and a prepared statement is a single one:
                # nobody can end the transaction and go on, or copy a table into a file.
                cursor.execute(f"DECLARE answer CURSOR FOR {sql}", prepare=True)
                cursor.execute("FETCH ALL FROM answer")
                return [column.name for column in cursor.description], cursor.fetchall()
        except errors.Error as error:
            message = str(error).partition("\n")[0]
            if error.sqlstate == _READ_ONLY_TRANSACTION:
                raise StoreError(f"{_REFUSED} ({message})", hint=_HINT) from error
            raise StoreError(f"the query cannot be answered: {message}", hint=_HINT) from error


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
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    # For functions SQLite has a message, but no code of its own.
    denied = code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY) or "not authorized" in str(
        error
    )
    if denied:
        return StoreError(f"{_REFUSED} ({error})", hint=_HINT)
    if code == sqlite3.SQLITE_ERROR:
        return StoreError(
            f"the query cannot be answered: {error}",
            hint='tables and views: hfcbench query "select name from sqlite_master"',
        )
    return error

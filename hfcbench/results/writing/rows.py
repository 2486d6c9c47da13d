"""Inserting rows that may be there already, and finding rows by many identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

# Well below the 32,766 parameters that SQLite takes in one statement.
_CHUNK = 5_000


def insert_row(connection: Connection, table: type[DeclarativeBase], row: Mapping[str, Any]) -> int:
    """Insert a row into a table with a single integer key; returns that key."""
    key = connection.execute(insert(table).values(**row)).inserted_primary_key
    if key is None:
        raise TypeError(f"{table.__name__} gave no key")
    return int(key[0])


def insert_missing(
    connection: Connection, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows but for those whose unique columns are taken; what is there stays as it is."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def rows_among(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[str],
    values: Sequence[str],
) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement whose column is one of any number of values."""
    for start in range(0, len(values), _CHUNK):
        chunk = list(values[start : start + _CHUNK])
        for row in connection.execute(statement.where(column.in_(chunk))):
            yield tuple(row)

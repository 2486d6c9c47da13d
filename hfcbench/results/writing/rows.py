"""Inserting rows that may be there already, and finding rows by many identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

# Well below the 32,766 parameters that SQLite takes in one statement.
_CHUNK = 5_000
_CHUNK_OF_ROWS = 50_000


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


def insert_plain_rows(
    connection: Connection,
    table: type[DeclarativeBase],
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Insert rows whose keys are not taken, straight through the driver.

    For many rows SQLAlchemy's handling of each would take most of the time.

    Args:
        columns: what the values of each row are of, in order.
    """
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).on_conflict_do_nothing()
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(columns))
    order = compiled.positiontup
    if order is None:
        keyed = [dict(zip(columns, row, strict=True)) for row in rows]
        connection.execute(statement, keyed)
        return
    places = [columns.index(name) for name in order]
    in_order = places == list(range(len(columns)))
    for start in range(0, len(rows), _CHUNK_OF_ROWS):
        chunk = rows[start : start + _CHUNK_OF_ROWS]
        values = chunk if in_order else [tuple(row[place] for place in places) for row in chunk]
        connection.exec_driver_sql(str(compiled), list(values))


def rows_among(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[str],
    values: Sequence[str],
) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement whose column is one of any number of values."""
    for start in range(0, len(values), _CHUNK):
        chunk = list(values[start : start + _CHUNK])
        # All at once: fetching each row on its own takes longer than finding it.
        yield from map(tuple, connection.execute(statement.where(column.in_(chunk))).all())

"""The page on the schema of the results database: tables, columns, views."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Column, Table
from sqlalchemy.dialects import sqlite

from hfcbench.reference_pages.markdown import code, page, prose, table
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.meanings import meaning_of_column, view_meanings
from hfcbench.results.opening import open_store
from hfcbench.results.schema import Base


def database_page() -> str:
    """`schema.md`, from the tables, and from the views as a new database has them."""
    descriptions = {
        mapper.class_.__tablename__: mapper.class_.__doc__ or "" for mapper in Base.registry.mappers
    }
    tables = [
        _table(each, descriptions[each.name])
        for each in sorted(Base.metadata.tables.values(), key=lambda each: each.name)
    ]
    introduction = (
        f"Tables and views of schema revision {REVISIONS[-1]}. Types are those of SQLite; "
        "PostgreSQL has its own of the same meaning. Times are UTC. Columns that may be NULL are "
        "marked as such. [What results mean and how to ask for them](../database.md)"
    )
    views = [_view(name, columns) for name, columns in _views().items()]
    return page("Database schema", introduction, ["## Tables", *tables, "## Views", *views])


def columns() -> set[str]:
    """Every column as ``table.column``, those of views included."""
    named = {name: [each.name for each in of.columns] for name, of in Base.metadata.tables.items()}
    return {f"{owner}.{name}" for owner, names in (named | _views()).items() for name in names}


def _table(of: Table, description: str) -> str:
    rows = [
        (code(each.name), _type(each), meaning_of_column(of.name, each.name), _reference(each))
        for each in of.columns
    ]
    head = ("column", "type", "meaning", "refers to")
    return "\n\n".join([f"### {of.name}", prose(description), table(head, rows)])


def _type(column: Column[object]) -> str:
    text = column.type.compile(sqlite.dialect())
    marks = [", key" if column.primary_key else "", ", may be NULL" if column.nullable else ""]
    return text + "".join(marks)


def _reference(column: Column[object]) -> str:
    return ", ".join(code(key.target_fullname) for key in column.foreign_keys)


def _view(name: str, names: Iterable[str]) -> str:
    rows = [(code(each), meaning_of_column(name, each)) for each in names]
    described = view_meanings()[name]
    return "\n\n".join([f"### {name}", described, table(("column", "meaning"), rows)])


def _views() -> dict[str, list[str]]:
    """The columns of each view, asked of a new database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        open_store(str(path), create=True).close()
        connection = sqlite3.connect(path)
        try:
            names = connection.execute(
                "select name from sqlite_master where type = 'view' order by name"
            ).fetchall()
            return {
                name: [row[1] for row in connection.execute(f"pragma table_info({name})")]
                for (name,) in names
            }
        finally:
            connection.close()

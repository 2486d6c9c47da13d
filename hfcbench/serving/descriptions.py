"""What the pages say of the database, its views and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hfcbench.results.meanings import meaning_of_column, view_meanings
from hfcbench.serving.ready_queries import ReadyQuery

_ABOUT = (
    "How much of vision models' scores rests on image frequencies that people barely see. Start "
    "with a ready query below; every page can be linked to, and downloaded as CSV or JSON."
)


def metadata(
    name: str, queries: list[ReadyQuery], columns: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What Datasette shows beside the data of the database called ``name``.

    Args:
        columns: the names in each of the database's tables and views.
    """
    tables: dict[str, Any] = {
        owner: {"columns": {column: _plain(meaning_of_column(owner, column)) for column in names}}
        for owner, names in columns.items()
    }
    for view, meaning in view_meanings().items():
        tables[view]["description"] = _plain(meaning)
    tables["alembic_version"] = {"hidden": True}
    ready = {
        query.name: {"title": query.title, "description": query.description, "sql": query.sql}
        for query in queries
    }
    database = {"description": _ABOUT, "queries": ready, "tables": tables}
    return {"title": "hfcbench results", "description": _ABOUT, "databases": {name: database}}


def _plain(markdown: str) -> str:
    """Without the marks of code: Datasette shows texts as they are."""
    return markdown.replace("`", "")

"""Single rows with all of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, inspect, select

from hfcbench.results.schema import Base, Plugin, Run, RunPlugin

Row: TypeAlias = Mapping[str, Any]


def row_of(connection: Connection, table: type[Base], key: int) -> Row:
    """The row of a key, by column name."""
    mapper: Any = inspect(table)
    (primary,) = mapper.primary_key
    found = connection.execute(select(*mapper.columns).where(primary == key)).one()
    return dict(found._mapping)


def run_of(connection: Connection, run_id: int) -> Row:
    """A run with the plugins that it had loaded."""
    plugins = connection.execute(
        select(Plugin.name, Plugin.distribution, Plugin.version)
        .join(RunPlugin)
        .where(RunPlugin.run_id == run_id)
        .order_by(Plugin.distribution, Plugin.name)
    )
    return {
        **row_of(connection, Run, run_id),
        "plugins": [f"{row[0]} ({row[1]} {row[2]})" for row in plugins],
    }

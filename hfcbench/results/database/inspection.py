"""What a database is, before anything else is done with it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from hfcbench.errors import StoreError
from hfcbench.results.database.location import DatabaseLocation

_ALEMBIC_TABLE = "alembic_version"


def revision_of(connection: Connection, location: DatabaseLocation) -> str | None:
    """The schema revision of a database; None for one that holds no tables at all.

    Raises:
        StoreError: the database has tables, but they are not those of hfcbench.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if _ALEMBIC_TABLE in tables and "evaluations" in tables:
        revision = connection.scalar(text(f"SELECT version_num FROM {_ALEMBIC_TABLE}"))
        if revision is not None:
            return str(revision)
    raise StoreError(
        f"{location} is a database, but not one of hfcbench: it has tables such as '{tables[0]}'",
        hint="name another one with --db",
    )

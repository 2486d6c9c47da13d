"""The tables in Python, in the revisions and in the file are the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hfcbench.results.database.engine import make_engine, writing
from hfcbench.results.database.location import parse_location
from hfcbench.results.database.migrating import alembic_config
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.schema import Base
from hfcbench.results.store import Store


def test_revisions_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_check_constraints_and_storage_agree(store: Store, tmp_path: Path) -> None:
    """What Alembic does not compare: CHECKs and WITHOUT ROWID."""
    plain = make_engine(
        parse_location(tmp_path / "plain.db"), read_only=False, busy_timeout_seconds=1, create=True
    )
    with writing(plain).begin() as connection:
        Base.metadata.create_all(connection)
    plain.dispose()

    def tables(path: Path) -> dict[str, list[str]]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            return {
                name: sorted(line.strip(" \t,").replace('"', "") for line in sql.splitlines())
                for name, sql in rows
            }

    migrated = tables(tmp_path / "results.db")
    del migrated["alembic_version"]
    assert migrated == tables(tmp_path / "plain.db")


def test_the_list_of_revisions_is_that_of_alembic(store: Store) -> None:
    with store._engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("scores", "(1, 1, 1, 1, 5, NULL, 'finite', NULL, NULL)"),
        ("scores", "(1, 1, 1, 1, 5, 0.5, 'nan', NULL, NULL)"),
        ("scores", "(1, 1, 1, 1, 5, NULL, 'odd', NULL, NULL)"),
        ("epochs", "(1, 1, NULL, 'finite')"),
        ("failures", "(1, 1, 'i', 'weather', 'l', 'e', 't', '2026-01-01')"),
        ("notes", "(1, 1, 'i', 'weather', 'l', 'n', '2026-01-01')"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(
    store: Store, run_id: int, table: str, values: str
) -> None:
    with (
        store._engine.connect() as connection,
        pytest.raises(Exception, match="CHECK constraint failed"),
    ):
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES {values}")

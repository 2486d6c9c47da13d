"""SQL from users: answers, but no way to change anything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store
from hfcbench.results.store import Store

pytestmark = pytest.mark.usefixtures("run_id")


def test_columns_and_rows(store: Store) -> None:
    columns, rows = store.query(
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 3) "
        "SELECT i, upper('a') AS letter FROM numbers"
    )
    assert columns == ["i", "letter"]
    assert rows == [(1, "A"), (2, "A"), (3, "A")]


def test_the_schema_can_be_looked_at(store: Store) -> None:
    assert ("leaderboard",) in store.query("SELECT name FROM sqlite_master")[1]
    assert len(store.query("PRAGMA table_info(scores)")[1]) == 9
    assert store.query("EXPLAIN QUERY PLAN SELECT * FROM scores")[1]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM runs",
        "INSERT INTO plugins VALUES (1, 'a', 'b', 'c')",
        "UPDATE runs SET status = 'x' RETURNING run_id",
        "WITH a AS (SELECT 1) DELETE FROM runs",
        "DROP VIEW leaderboard",
        "CREATE TEMP TABLE a (b)",
        "ATTACH 'other.db' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO 'other.db'",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = OFF",
        "PRAGMA user_version = 5",
        "PRAGMA writable_schema = ON",
        "SELECT load_extension('x')",
        "REINDEX",
        "ANALYZE",
    ],
)
def test_whatever_does_more_than_read_is_refused(
    store: Store, path: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    store.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    for read_only in (True, False):
        with (
            open_store(path, read_only=read_only) as opened,
            pytest.raises(StoreError, match="a query can only read") as caught,
        ):
            opened.query(sql)
        assert "SELECT" in str(caught.value)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM leaderbord", "no such table: leaderbord"),
        ("SELEKT 1", "syntax error"),
        ("SELECT 1; DELETE FROM runs", "one statement"),
    ],
)
def test_what_cannot_be_answered(store: Store, sql: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        store.query(sql)
    assert "sqlite_master" in str(caught.value)
    assert store.query("SELECT count(*) FROM runs")[1] == [(1,)]

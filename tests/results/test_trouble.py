"""Full disks and locks: one message each, and nothing lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store
from hfcbench.results.store import Store

Count = Callable[[str], int]


def limit_pages(store: Store, pages: int) -> int:
    """Let SQLite find the disk full beyond this size; returns the size in force."""
    with store._engine.connect() as connection:
        limit = connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar()
    assert isinstance(limit, int)
    return limit


def test_a_full_disk(store: Store, run_id: int, build: ModuleType, count: Count) -> None:
    training = build.training()
    store.add_training(training, run_id)
    store.add_evaluations([build.evaluation(training)], run_id)
    # SQLite raises the limit to the pages in use: there is no space but inside those.
    limit_pages(store, 1)
    many = [build.evaluation(training, f"lfc@{cutoff}") for cutoff in range(1, 100)]
    with pytest.raises(StoreError, match=r"results\.db: the disk is full") as caught:
        store.add_evaluations(many, run_id)
    assert "everything before it is safe" in str(caught.value)
    assert "free some space" in str(caught.value)
    assert (count("evaluations"), count("predictions"), count("scores")) == (1, 1, 1)
    limit_pages(store, 1_000_000)
    store.add_evaluations(many, run_id)
    assert count("evaluations") == 100


def test_a_database_that_stays_locked(
    store: Store, run_id: int, path: Path, build: ModuleType, count: Count
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with open_store(path, busy_timeout_seconds=0.1) as second:
            start = time.monotonic()
            with pytest.raises(StoreError, match="another process kept it locked") as caught:
                second.begin_run(build.run())
            assert time.monotonic() - start < 5
            assert "repeat the same command" in str(caught.value)
            # Readers do not wait for a writer.
            assert second.query("SELECT count(*) FROM runs")[1] == [(1,)]
            other.execute("COMMIT")
            second.begin_run(build.run())
    assert count("runs") == 2


def test_a_new_database_that_another_process_locks(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="another process kept it locked"):
            open_store(path, create=True, busy_timeout_seconds=0.1)


def test_a_lock_that_is_released_in_time_is_waited_for(
    store: Store, path: Path, build: ModuleType
) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    release.start()
    store.begin_run(build.run())
    release.join()
    other.close()
    assert store.query("SELECT count(*) FROM runs")[1] == [(1,)]


def test_settings_of_a_writing_connection(store: Store) -> None:
    with store._engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": full,
        "busy_timeout": 30_000,
    }


def test_a_writer_takes_the_lock_before_it_reads(store: Store, path: Path) -> None:
    with (
        store._writing(),
        closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")

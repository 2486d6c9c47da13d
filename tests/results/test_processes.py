"""Several processes on one database, and processes that are killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import database_exists, open_store

WORKERS = 4
EACH = 50

Start = Callable[..., "subprocess.Popen[str]"]


def assert_whole(path: Path) -> None:
    """Every page readable, every foreign key met, every evaluation with all that belongs to it."""
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        evaluations, predictions, scores = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("evaluations", "predictions", "scores")
        )
    connection.close()
    assert evaluations == predictions == scores


def test_four_processes_lose_nothing_and_double_nothing(
    path: Path, start_process: Start, build: ModuleType
) -> None:
    processes = [start_process("write", path, worker, EACH) for worker in range(WORKERS)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * WORKERS
    identities = {line for output in outputs for line in output.split()}
    assert len(identities) == WORKERS * EACH // 2 + EACH // 2
    assert_whole(path)
    with open_store(path, read_only=True) as store:
        assert store.evaluations_done(sorted(identities)) == identities
        assert len(store.evaluations()) == len(identities)
        assert store.query("SELECT count(*), min(status) FROM runs")[1] == [(WORKERS, "finished")]
        assert set(store.trainings([build.training().identity])) == {build.training().identity}


def test_killed_while_the_database_is_made(path: Path, start_process: Start) -> None:
    process = start_process("die-creating", path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert path.exists()
    assert not database_exists(path)
    with pytest.raises(StoreError, match="is empty"):
        open_store(path)
    with open_store(path, create=True) as store:
        assert store.query("SELECT * FROM leaderboard")[1] == []
    assert database_exists(path)


def test_killed_inside_a_transaction(path: Path, start_process: Start, build: ModuleType) -> None:
    process = start_process("die-inside", path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert_whole(path)
    training = build.training()
    first, *rest = [build.evaluation(training, name) for name in ("original", "lfc@4", "lfc@8")]
    with open_store(path) as store:
        assert store.evaluations_done([first.identity, *(item.identity for item in rest)]) == {
            first.identity
        }
        assert store.query("SELECT status, finished_at FROM runs")[1] == [("running", None)]
        store.add_evaluations(rest, store.begin_run(build.run()))
        assert len(store.evaluations()) == 3
    assert_whole(path)


@pytest.mark.parametrize("after", [1, 9])
def test_killed_at_any_time_keeps_what_was_reported(
    path: Path, start_process: Start, after: int
) -> None:
    process = start_process("write", path, 0, 10_000)
    assert process.stdout is not None
    reported = [process.stdout.readline().strip() for _ in range(after)]
    process.kill()
    reported += process.communicate()[0].split()
    assert_whole(path)
    with open_store(path, read_only=True) as store:
        assert store.evaluations_done(reported) == set(reported)

"""Several processes on one database, and processes that are killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import database_exists, open_store

WORKERS = 8
EACH = 1_000
GROUP = 10
KILLS = 50

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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_eight_processes_lose_nothing_and_double_nothing(
    kind: str,
    path: Path,
    start_process: Start,
    build: ModuleType,
    request: pytest.FixtureRequest,
) -> None:
    place = path if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    processes = [start_process("write", place, worker, EACH, GROUP) for worker in range(WORKERS)]
    outputs = [process.communicate(timeout=280)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * WORKERS
    identities = {line for output in outputs for line in output.split()}
    expected = WORKERS * EACH // 2 + EACH // 2
    assert len(identities) == expected
    if kind == "sqlite":
        assert_whole(path)
    with open_store(place, read_only=True) as store:
        assert store.evaluations_done(sorted(identities)) == identities
        for table in ("evaluations", "predictions", "scores"):
            assert store.query(f"SELECT count(*) FROM {table}")[1] == [(expected,)]
        (counted,) = store.query("SELECT count(DISTINCT identity) FROM evaluations")[1]
        assert counted == (expected,)
        runs = "SELECT count(*), min(status), max(status) FROM runs"
        assert store.query(runs)[1] == [(WORKERS, "finished", "finished")]
        assert set(store.trainings([build.training().identity])) == {build.training().identity}


@pytest.mark.slow
def test_fifty_kills_at_random_moments(path: Path, start_process: Start, build: ModuleType) -> None:
    random = Random(0)
    template = start_process("serve")
    assert template.stdin is not None
    assert template.stdout is not None

    def start(count: int) -> int:
        template.stdin.write(f"{path}\t0\t{count}\n")
        template.stdin.flush()
        return int(read_until("pid ").split()[1])

    def read_until(beginning: str) -> str:
        for line in template.stdout:
            if line.startswith(beginning):
                return line
            lines.append(line.strip())
        raise AssertionError("the template process ended")

    lines: list[str] = []
    longest = 0.4
    for _ in range(KILLS):
        heard = len(lines)
        process_id = start(10_000)
        time.sleep(random.uniform(0, longest))
        os.kill(process_id, signal.SIGKILL)
        read_until("ended")
        if len(lines) == heard:
            # A busy machine takes longer to write anything at all.
            longest = min(1.1 * longest, 4)
        if path.exists() and database_exists(path):
            assert_whole(path)
    reported = set(lines)
    most = len(reported)
    assert most > KILLS
    # The last one is a process like any other: nobody kills it, so nothing but itself ends it.
    output, _ = start_process("write", path, 0, most + 100).communicate(timeout=120)
    assert reported <= set(output.split())
    reported |= set(output.split())
    assert len(reported) == most + 100
    assert_whole(path)
    with open_store(path, read_only=True) as store:
        assert store.evaluations_done(sorted(reported)) == reported
        counted = "SELECT count(*), count(DISTINCT identity) FROM evaluations"
        assert store.query(counted)[1] == [(most + 100, most + 100)]
        assert store.query("SELECT count(*) FROM runs WHERE status = 'finished'")[1] == [(1,)]


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

"""Two machines on one database: each training is done once, whoever dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from hfcbench.results.opening import open_store

SUITE = """\
title: Shared
datasets: ["planted-band(size=16, train_per_class=60, test_per_class=20)"]
schedule: {epochs: 6, batch_size: 10, learning_rate: 0.002}
components: [original, lfc@4]
attacks: [fgsm]
epsilons: [0.03]
blocks:
  - models: [lenet5]
    heuristics: [vanilla, batchnorm, dropout]
    seeds: [0, 1]
"""
TRAININGS, EVALUATIONS = 6, 18
RUN = """
import sys
from pathlib import Path
from hfcbench.cli.console import plain_console
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation

url, folder, cache, grace = sys.argv[1:]
settings = Settings(
    database=url,
    location=DataLocation(None),
    cache_root=Path(cache),
    artifacts=Path(folder) / "checkpoints",
    device="cpu",
    grace_seconds=float(grace),
)
session = Session(load_plugins(), settings)
summary, failures = session.run(session.plan(str(Path(folder) / "shared.yaml")), plain_console())
print(f"trained {summary.trained} evaluated {summary.evaluated} failed {summary.failed}")
"""


@pytest.fixture
def start(tmp_path):
    """Start a run of the suite as a machine of its own: own folder, own checkpoints."""
    processes = []

    def start_machine(url: str, name: str, grace: float) -> subprocess.Popen[str]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shared.yaml").write_text(SUITE, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, url, folder, tmp_path / "cache", str(grace)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
        )
        processes.append(process)
        return process

    yield start_machine
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    return request.getfixturevalue("postgresql_url")


def counts(output: str) -> list[int]:
    found = re.search(r"trained (\d+) evaluated (\d+) failed (\d+)", output)
    assert found, output
    return [int(number) for number in found.groups()]


def assert_complete(url: str) -> None:
    with open_store(url, read_only=True) as store:
        for table, count in (("trainings", TRAININGS), ("evaluations", EVALUATIONS)):
            (row,) = store.query(f"SELECT count(*), count(distinct identity) FROM {table}")[1]
            assert row == (count, count)
        assert store.query("SELECT count(*) FROM claims")[1] == [(0,)]
        assert store.query("SELECT count(*) FROM failures")[1] == [(0,)]


def wait_for_training(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("[1/"), line


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_machines_share_the_work(url, start):
    machines = [start(url, name, grace=30) for name in ("one", "two")]
    outputs = [machine.communicate(timeout=200)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], outputs
    done = [counts(output) for output in outputs]
    assert [sum(column) for column in zip(*done, strict=True)] == [TRAININGS, EVALUATIONS, 0]
    assert_complete(url)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_dead_machine_left_is_taken_over(url, start):
    victim = start(url, "victim", grace=2)
    wait_for_training(victim)
    survivor = start(url, "survivor", grace=2)
    time.sleep(1)
    victim.kill()
    victim.communicate()
    output, _ = survivor.communicate(timeout=200)
    assert survivor.returncode == 0, output
    assert_complete(url)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_machine_that_stops_for_a_moment_keeps_its_work(url, start):
    first = start(url, "first", grace=60)
    wait_for_training(first)
    first.send_signal(signal.SIGSTOP)
    second = start(url, "second", grace=60)
    # The second one does all the rest, and then waits for what the first one holds.
    assert second.stdout is not None
    lines = []
    for line in second.stdout:
        lines.append(line)
        if line.startswith("waiting for a process on"):
            break
    first.send_signal(signal.SIGCONT)
    outputs = [first.communicate(timeout=200)[0], "".join(lines) + second.communicate()[0]]
    done = [counts(output) for output in outputs]
    assert [sum(column) for column in zip(*done, strict=True)] == [TRAININGS, EVALUATIONS, 0]
    assert done[0][0] >= 1
    assert done[1][0] >= 1
    assert_complete(url)

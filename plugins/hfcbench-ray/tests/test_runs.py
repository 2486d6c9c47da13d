"""Runs on two nodes end in the database of a run in one process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest
from ray_stand_ins import SUITE, content

from hfcbench import hookimpl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


class Observer:
    """Does something when the so-manieth task starts."""

    def __init__(self, number, act):
        self._left = number
        self._act = act

    @hookimpl
    def hfcbench_before_task(self, task):
        self._left -= 1
        if self._left == 0:
            self._act()


def test_a_node_that_is_lost_in_the_middle_changes_nothing(
    cluster, run, in_process, tmp_path, monkeypatch
):
    from hfcbench_ray.flights import Flights

    (doomed,) = cluster.worker_nodes
    again = []
    elsewhere = Flights._elsewhere
    monkeypatch.setattr(
        Flights, "_elsewhere", lambda self, n: (again.append(n), elsewhere(self, n))[1]
    )
    observer = Observer(2, lambda: cluster.remove_node(doomed, allow_graceful=False))
    try:
        summary = run("ray", f"ray(address={cluster.address})", observer=observer)
    finally:
        cluster.add_node(num_cpus=1)
    # Both nodes were busy, so one task was lost and had to run again.
    assert len(again) >= 1
    assert (summary.trained, summary.evaluated, summary.failed, summary.skipped) == (2, 6, 0, 0)
    assert content(tmp_path / "ray") == content(in_process)


def test_checkpoints_come_through_the_object_store(cluster, run, in_process, tmp_path):
    executor = f"ray(address={cluster.address}, checkpoints=object-store)"
    run("ray", executor)
    assert content(tmp_path / "ray") == content(in_process)

    # Evaluated later, the checkpoints go from the driver's folder to the nodes.
    more = SUITE.replace("\ncomponents: [", "\ncomponents: [hfc@4, ")
    summary = run("ray", executor, more)
    assert (summary.trained, summary.evaluated, summary.failed) == (0, 2, 0)


def test_a_driver_that_is_killed_resumes(cluster, run, in_process, cache, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "hfcbench", "run", "--suite", "tiny.yaml", "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--cache-dir", cache, "--executor", "ray", "--address", cluster.address],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    # Lines come when a task's results are stored.
    assert process.stdout.readline().startswith("[1/4] train")
    process.kill()
    process.communicate(timeout=30)
    summary = run("killed", f"ray(address={cluster.address})")
    assert summary.failed == 0
    assert summary.trained + summary.evaluated < 2 + 6
    assert content(folder) == content(in_process)


def test_tasks_that_fail_do_so_as_in_one_process(cluster, run, tmp_path):
    broken = SUITE.replace("learning_rate: 0.002", "learning_rate: 1.0e+30")
    summary = run("ray", f"ray(address={cluster.address})", broken)
    assert (summary.trained, summary.failed, summary.skipped) == (0, 2, 2)
    run("here", "in-process", broken)
    assert failures_in(tmp_path / "ray") == failures_in(tmp_path / "here")


def failures_in(folder):
    connection = sqlite3.connect(folder / "results.db")
    rows = connection.execute("select identity, kind, label, error from failures").fetchall()
    connection.close()
    assert rows
    return sorted(rows)

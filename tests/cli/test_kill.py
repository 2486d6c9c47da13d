"""Killed at any moment and started again, a run ends in the same database."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUITE = """\
title: Kill me
datasets: ["planted-band(size=16, train_per_class=60, test_per_class=20)"]
schedule: {epochs: 3, batch_size: 20, learning_rate: 0.002}
curves: {components: [original, lfc@4], samples: 50}
components: [original, lfc@4, hfc@4]
attacks: [fgsm, "pgd(steps=3, random_start=true)"]
epsilons: [0.03, 0.06]
blocks:
  - models: [lenet5]
    heuristics: [vanilla, batchnorm, dropout]
"""
# What differs between two runs of the same work.
_OF_THE_RUN = ("started_at", "duration_seconds", "curve_seconds", "run_id")


def start(folder: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hfcbench", "run", "--suite", "kill.yaml", "--device", "cpu"]
    return subprocess.Popen(
        [*command, "--cache-dir", str(cache)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def content(database: Path) -> dict[str, list[tuple]]:
    """Every row of every table of results, without numbering and times."""
    connection = sqlite3.connect(database)
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert connection.execute("pragma foreign_key_check").fetchall() == []
    tables = [
        name
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        if name not in ("runs", "run_plugins", "plugins", "alembic_version")
    ]
    found = {}
    for table in tables:
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        kept = [c for c in columns if c not in _OF_THE_RUN and not c.endswith("_id")]
        rows = connection.execute(f"select {', '.join(kept)} from {table}").fetchall()
        found[table] = sorted(rows, key=repr)
    connection.close()
    return found


def wait_for_lines(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline().startswith("[")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_run_ends_in_the_same_database(tmp_path):
    whole, broken, cache = (tmp_path / name for name in ("whole", "broken", "cache"))
    for folder in (whole, broken):
        folder.mkdir()
        (folder / "kill.yaml").write_text(SUITE, encoding="utf-8")
    uninterrupted = start(whole, cache)
    output, _ = uninterrupted.communicate(timeout=200)
    assert uninterrupted.returncode == 0, output

    # Before anything is stored; right after a training; after an evaluation; within a training.
    for lines, delay in ((0, 0.5), (1, 0.0), (1, 0.05), (1, 0.2)):
        process = start(broken, cache)
        wait_for_lines(process, lines)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    process = start(broken, cache)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output

    assert content(broken / "results.db") == content(whole / "results.db")
    checkpoints = [
        {path.name: path.read_bytes() for path in (folder / "checkpoints").rglob("*.safetensors")}
        for folder in (whole, broken)
    ]
    assert checkpoints[0] == checkpoints[1]
    assert len(checkpoints[0]) == 3


@pytest.mark.slow
def test_ctrl_c_ends_cleanly(tmp_path):
    (tmp_path / "kill.yaml").write_text(SUITE, encoding="utf-8")
    process = start(tmp_path, tmp_path / "cache")
    wait_for_lines(process, 1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "interrupted; the same command goes on from here" in output
    assert "Traceback" not in output
    connection = sqlite3.connect(tmp_path / "results.db")
    assert connection.execute("select status from runs").fetchall() == [("interrupted",)]
    connection.close()

"""The report of benchmarks, and the short form that only breaks where a benchmark does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SLOW_OURS = """\
import time

import pytest


def test_quick(compare, benchmark):
    found = compare(
        "sleeping",
        {"hfcbench": lambda: time.sleep(0.02), "peer": lambda: time.sleep(0.01)},
        rounds=3,
        goals={"peer": "at least 2"},
        scale={},
    )
    benchmark.pedantic(lambda: None)
    found.expect("peer", at_least=EXPECTED)


@pytest.mark.long
def test_long(show, benchmark):
    benchmark.pedantic(lambda: None)
    show("memory", {"hfcbench": 12.5}, "MB", {"hfcbench": "at most 20"})
"""


@pytest.fixture
def project(tmp_path):
    """A project with the machinery of the benchmarks and two benchmarks."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (tmp_path / "docs").mkdir()
    for name in ("conftest.py", "comparison.py", "bench_report.py"):
        shutil.copy(BENCHMARKS / name, folder)
    write(tmp_path, "0.1")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = benchmarks\n", encoding="utf-8")
    return tmp_path


def write(project: Path, expected: str) -> None:
    text = SLOW_OURS.replace("EXPECTED", expected)
    (project / "benchmarks" / "test_some.py").write_text(text, encoding="utf-8")


def run(project: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "benchmarks", "--benchmark-only", *options]
    # Not as a part of the run that this test may be distributed in: that times nothing.
    alone = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, env=alone
    )


def test_a_whole_run_writes_the_page_and_the_record(project):
    answer = run(project, "--write-report")
    assert answer.returncode == 0, answer.stdout
    page = (project / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "## sleeping" in page
    assert "| hfcbench | 12.5 MB | at most 20 |" in page
    record = json.loads((project / "benchmarks" / "bench_report.json").read_text(encoding="utf-8"))
    assert {title: found["short"] for title, found in record.items()} == {
        "sleeping": True,
        "memory": False,
    }
    # The peer sleeps half as long.
    assert 0.35 < record["sleeping"]["ratios"]["peer"] < 0.75


def test_a_short_run_judges_nothing_and_prints_what_is_committed(project):
    write(project, "2")
    assert run(project, "--write-report").returncode == 1
    assert not (project / "benchmarks" / "bench_report.json").exists()
    write(project, "0.1")
    run(project, "--write-report")
    write(project, "2")
    answer = run(project, "--short")
    assert answer.returncode == 0, answer.stdout
    assert "committed: 0." in answer.stdout
    assert "1 deselected" in answer.stdout


def test_a_broken_or_missing_benchmark_fails_a_short_run(project):
    run(project, "--write-report")
    write(project, "1 / 0")
    assert run(project, "--short").returncode == 1
    (project / "benchmarks" / "test_some.py").write_text("def test_other(): ...", encoding="utf-8")
    answer = run(project, "--short")
    assert "MISSING: sleeping" in answer.stdout
    assert answer.returncode != 0

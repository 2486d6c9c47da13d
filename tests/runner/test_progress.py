"""What is shown while a plan runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import make_plan, remaining
from hfcbench.runner.progress import ProgressDisplay, TimeLeft, duration
from hfcbench.runner.suite_file import read_suite
from hfcbench.runner.tasks import Outcome, Task

SUITE = """\
title: Example
datasets: [images]
schedule: {epochs: 2}
components: [original, lfc@4]
blocks:
  - models: [network, "network(width=8)"]
"""


@pytest.fixture
def tasks(registry, datasets, tmp_path) -> tuple[Task, ...]:
    plan = make_plan("example", expand(read_suite("e", "e.yaml", SUITE), registry, datasets))
    return remaining(plan, None, tmp_path).tasks


def test_the_time_left_follows_what_has_run(tasks):
    train, evaluate, _, _ = tasks
    left = TimeLeft(tasks)

    assert left.seconds() is None
    left.add(train, 10)
    assert left.seconds() is None
    left.add(evaluate, 4)
    # One more of each kind, of the same size.
    assert left.seconds() == pytest.approx(14)


def test_a_running_task_counts_by_its_share(tasks):
    train, evaluate, second, _ = tasks
    left = TimeLeft(tasks)
    left.add(train, 10)
    left.add(evaluate, 4)
    # Half of the second training took 5 seconds as well: 5 more, and an evaluation of 4.
    assert left.seconds(second, 0.5, 5) == pytest.approx(9)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (65, "1 min 05 s"), (3600, "1 h 00 min"), (7890, "2 h 11 min")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def shown(tasks: tuple[Task, ...], *, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=120)
    with ProgressDisplay(tasks, console) as display:
        for task in tasks:
            display.started(task)
            display.advanced(task, 0.5)
            display.finished(task, Outcome())
    return output.getvalue()


def test_a_log_gets_one_plain_line_per_task(tasks):
    lines = shown(tasks, terminal=False).splitlines()

    assert len(lines) == len(tasks)
    assert lines[0].startswith("[1/4] train network, vanilla, images, seed 0: done in ")
    assert "\x1b" not in "".join(lines)


def test_notes_stand_below_their_task(tasks):
    output = io.StringIO()
    with ProgressDisplay(tasks, Console(file=output, width=120)) as display:
        for task in tasks[:2]:
            display.started(task)
            display.finished(task, Outcome(notes=("something to know",)[: task is tasks[0]]))
    lines = output.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1] == "    something to know"


def test_a_terminal_gets_a_live_bar(tasks):
    text = shown(tasks, terminal=True)
    assert "\x1b" in text
    assert "4/4" in text

"""Tables on a real terminal of some width, and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import build_records
import pytest

from hfcbench.attack_types import Search
from hfcbench.results.opening import open_store

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PARTS = ("original", "lfc@8", "hfc@8")
ATTACKS = ("fgsm", "pgd(steps=20)")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rows of a leaderboard with many columns."""
    path = tmp_path_factory.mktemp("tables") / "results.db"
    with open_store(path, create=True) as store:
        run_id = store.begin_run(build_records.run())
        store.add_dataset(build_records.dataset())
        for seed, defence in ((0, "none"), (1, "none"), (0, "kernel-smoothing(rho=0.25)")):
            training = build_records.training(seed=seed, heuristics="batchnorm")
            store.add_training(training, run_id)
            answers = [
                build_records.answered(training, range(seed + 5), component=part, defence=defence)
                for part in PARTS
            ]
            answers += [
                build_records.answered(
                    training,
                    range(60),
                    defence=defence,
                    attack=attack,
                    epsilon=0.03,
                    search=Search("worst-case"),
                )
                for attack in ATTACKS
            ]
            store.add_evaluations(answers, run_id)
    return path


def on_terminal(width: int, *arguments: str, **environment: str) -> list[str]:
    """What a terminal of that width shows of a command, line by line."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "hfcbench", *arguments],
        stdin=its,
        stdout=its,
        stderr=subprocess.PIPE,
        env=environment_of(**environment),
        text=True,
    ) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                # How Linux says that the other end is closed.
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.stderr is not None
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    return [*shown.decode().splitlines(), *(f"! {line}" for line in errors.splitlines())]


def in_pipe(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "hfcbench", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment_of(**environment)
    )
    assert "not shown" not in done.stderr
    return done.stdout


def environment_of(**changes: str) -> dict[str, str]:
    ignored = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM")
    kept = {name: value for name, value in os.environ.items() if name not in ignored}
    return {**kept, "TERM": "xterm-256color", **changes}


def rows_of(lines: list[str]) -> list[str]:
    return [COLOUR.sub("", line) for line in lines if not line.startswith("! ")]


def missing_from(lines: list[str]) -> list[str]:
    (note,) = [line for line in lines if "not shown" in line] or [": ;"]
    return [name for name in note.partition(": ")[2].partition(";")[0].split(", ") if name]


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_a_leaderboard_fits_and_says_what_is_missing(database, width):
    lines = on_terminal(width, "leaderboard", "--db", str(database))
    rows = rows_of(lines)
    assert max(map(len, rows)) <= width
    text = " ".join(" ".join(rows).split())
    for kept in ("rank", "model", "original", "lfc@8", "id"):
        assert kept in text.split()
    missing = missing_from(lines)
    assert bool(missing) == (width < 160)
    everything = in_pipe("leaderboard", "--db", str(database)).splitlines()[0]
    for name in missing:
        assert name in everything
        assert name not in rows[0].split()
    assert sum(line.startswith(("   1", "   3")) for line in rows) == 3


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "attacks"),
        ("plugins",),
        ("leaderboard", "--wide"),
        ("tradeoff",),
        ("claims",),
        ("query", "select * from results"),
    ],
    ids=" ".join,
)
def test_every_table_fits(database, width, arguments):
    needs_database = arguments[0] not in ("list", "plugins")
    lines = on_terminal(width, *arguments, *(("--db", str(database)) if needs_database else ()))
    rows = [line for line in rows_of(lines) if not line.startswith("to run: ")]
    assert len(rows) > 2
    assert max(map(len, rows)) <= width


@pytest.mark.parametrize("columns", ["", "40"])
def test_a_pipe_gets_everything_in_one_line_each(database, columns):
    shown = in_pipe("leaderboard", "--db", str(database), "--wide", COLUMNS=columns)
    heading, *rows = shown.splitlines()
    assert len(rows) == 3
    for name in (*PARTS, "fgsm@0.03", "pgd(steps=20)@0.03", "defence", "id"):
        assert name in heading.split()
    listed = in_pipe("list", "suites", COLUMNS=columns)
    assert max(map(len, listed.splitlines())) > 120


def test_numbers_stand_under_each_other(database):
    sql = "select 1.5 as number, 'a' as name union select 100, 'b' union select 20.25, 'c'"
    rows = in_pipe("query", sql, "--db", str(database)).splitlines()[1:]
    assert sorted(rows) == sorted(["  1.500  a", "100      b", " 20.250  c"])


@pytest.mark.parametrize(
    ("environment", "on_a_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
    ids=str,
)
def test_colours_where_they_are_wanted(environment, on_a_terminal, elsewhere):
    shown = "\n".join(on_terminal(80, "list", "metrics", **environment))
    assert ("\x1b" in shown) is on_a_terminal
    assert ("\x1b" in in_pipe("list", "metrics", **environment)) is elsewhere

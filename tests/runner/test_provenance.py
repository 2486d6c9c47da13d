"""What a run says of itself."""

from __future__ import annotations

import shlex
import sys

import pytest

from hfcbench.runner.provenance import describe_run


@pytest.mark.parametrize(
    ("program", "arguments", "kept"),
    [
        (
            "/opt/bin/hfcbench",
            ["run", "--db", "postgresql://ada:pa@ss@host/results", "--seeds", "2"],
            ["hfcbench", "run", "--db", "postgresql://ada:***@host/results", "--seeds", "2"],
        ),
        (
            "/src/hfcbench/__main__.py",
            ["run", "--suite", "my suite.yaml", "--set", "schedule.epochs=5"],
            ["hfcbench", "run", "--suite", "my suite.yaml", "--set", "schedule.epochs=5"],
        ),
    ],
)
def test_the_command_is_kept_without_passwords(monkeypatch, program, arguments, kept):
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    command = describe_run("smoke", "cpu", []).command
    assert shlex.split(command) == kept

"""What an executor declares is an option of `hfcbench run`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Literal

import pytest

from hfcbench import hookimpl
from hfcbench.cli.main import call
from hfcbench.executors.in_process import InProcess
from hfcbench.plugins import load_plugins
from hfcbench.runner.executor import Place

SUITE = """\
title: Tiny
datasets: ["planted-band(size=16, train_per_class=20, test_per_class=10)"]
schedule: {epochs: 1, batch_size: 20, learning_rate: 0.002}
blocks: [{models: [lenet5]}]
"""
made = []


@dataclass(frozen=True)
class Distant(InProcess):
    """As if tasks ran far away."""

    address: str | None = None
    share_of_gpu: float = 1.0
    sending: Literal["all", "some"] = "all"
    seeds: int = 7

    def execute(self, tasks, worker, listener):
        made.append(self)
        yield from super().execute(tasks, worker, listener)

    def place(self, device: str) -> Place:
        return Place("cuda", f"{self.share_of_gpu:g} GPU far away, not {device}")


@hookimpl
def hfcbench_register_executors(register):
    register("distant", Distant, version="1")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    plugin = SimpleNamespace(hfcbench_register_executors=hfcbench_register_executors)
    load = partial(load_plugins, {"distant": plugin}, installed=())
    monkeypatch.setattr("hfcbench.cli.executor_options.load_plugins", load)
    monkeypatch.setattr("hfcbench.cli.run_command.load_plugins", load)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SUITE, encoding="utf-8")
    made.clear()


def run(*options: str) -> int:
    fixed = ["--suite", "tiny.yaml", "--device", "cpu", "--cache-dir", "cache"]
    return call(["run", *fixed, *options])


def test_options_become_typed_parameters(tmp_path):
    options = ["--address", "10.0.0.1:6379", "--share-of-gpu=0.25", "--sending", "some"]
    # --seeds is the command's own, and stays that.
    assert run("--executor", "distant", *options, "--seeds", "1") == 0
    assert made == [Distant("10.0.0.1:6379", 0.25, "some", 7)]
    connection = sqlite3.connect(tmp_path / "results.db")
    found = connection.execute("select device, device_name from runs").fetchall()
    connection.close()
    assert found == [("cuda", "0.25 GPU far away, not cpu")]


def test_options_and_parentheses_go_together():
    assert run("--executor=distant(sending=some)", "--address", "auto") == 0
    assert made == [Distant("auto", sending="some")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", "auto"], "No such option '--address'"),
        (["--executor", "distant", "--adress", "auto"], "Did you mean '--address'?"),
        (["--executor", "distant", "--sending", "none"], "'sending'"),
        (["--executor", "distant", "--share-of-gpu", "half"], "'share_of_gpu'"),
        (["--executor", "distant(address=a)", "--address", "b"], "'address' is given twice"),
        (["--executor", "distnat", "--address", "b"], "did you mean 'distant'?"),
    ],
)
def test_what_is_wrong_is_said(options, message, capsys):
    assert run(*options) == 2
    assert message in capsys.readouterr().err
    assert made == []


def test_help_shows_them(capsys):
    assert run("--executor", "distant", "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--share-of-gpu TEXT Of executor 'distant': float, by default 1.0." in shown
    assert run("--help") == 0
    assert "--share-of-gpu" not in capsys.readouterr().out

"""Whole runs in this process, on tiny data: stored once, resumed, failures kept apart."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from hfcbench import hookimpl, open_store
from hfcbench.attack_types import Attack
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation, Predictions, Score

METRICS = ("loss", "top1")
SUITE = """\
title: Tiny
datasets: ["planted-band(size=8, outer=3, classes=3, train_per_class=20, test_per_class=10)"]
schedule: {epochs: 2, batch_size: 20, learning_rate: 0.01}
curves: {components: [original], samples: 10}
components: [original, lfc@2]
attacks: [fgsm]
epsilons: [0.03]
blocks:
  - models: [tiny]
"""


@dataclass(frozen=True)
class Tiny:
    """One convolution; breaks on demand."""

    broken: bool = False

    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        if self.broken:
            raise RuntimeError("the layer is missing")
        pixels = (shape.height - 2) * (shape.width - 2)
        return nn.Sequential(
            nn.Conv2d(shape.channels, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * pixels, classes)
        )


@dataclass(frozen=True)
class Refuses(Attack):
    """An attack that cannot attack."""

    def perturb(self, model, images, labels, epsilons, generator):
        raise RuntimeError("no way in")


@dataclass(frozen=True)
class Sure:
    """Mean confidence."""

    higher_is_better: ClassVar[bool] = True

    def score(self, predictions: Predictions) -> Score:
        mean = float(predictions.confidence.mean())
        return Score(mean, mean, mean, len(predictions.labels))


class Observer:
    """A plugin that watches and can interrupt the run."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.interrupt_after: int | None = None

    @hookimpl
    def hfcbench_before_run(self, plan):
        self.events.append("before run")

    @hookimpl
    def hfcbench_after_run(self, plan, summary):
        self.events.append("after run")

    @hookimpl
    def hfcbench_before_task(self, task):
        self.events.append("before task")

    @hookimpl
    def hfcbench_after_task(self, task, outcome):
        self.events.append("after task")
        if self.events.count("after task") == self.interrupt_after:
            raise KeyboardInterrupt


def declare(kind: str, **factories: type) -> SimpleNamespace:
    def hook(register):
        for name, factory in factories.items():
            register(name, factory, version="1")

    return SimpleNamespace(**{f"hfcbench_register_{kind}": hookimpl(hook)})


class Workplace:
    """A folder with a suite file, a database and checkpoints."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.database = folder / "results.db"
        self.observer = Observer()
        extra = {
            "model": declare("models", tiny=Tiny),
            "attack": declare("attacks", refuses=Refuses),
            "metric": declare("metrics", sure=Sure),
            "observer": self.observer,
        }
        settings = Settings(str(self.database), DataLocation(), cache, device="cpu")
        self.session = Session(load_plugins(extra, installed=()), settings)
        self.output = io.StringIO()

    def run(self, text: str = SUITE, *overrides):
        path = self.folder / "tiny.yaml"
        path.write_text(text, encoding="utf-8")
        plan = self.session.plan(str(path), overrides)
        console = Console(file=self.output, width=200)
        return self.session.run(plan, console)

    def query(self, sql: str) -> list[tuple]:
        with open_store(self.database, read_only=True) as store:
            return store.query(sql)[1]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path, cache: Path) -> Workplace:
    return Workplace(tmp_path, cache)


def test_a_run_stores_everything_once(place):
    summary, failures = place.run()

    assert (summary.trained, summary.evaluated, summary.failed) == (1, 3, 0)
    assert failures == []
    with open_store(place.database, read_only=True) as store:
        scores = store.evaluations()
        found = scores[["component", "attack", "metric"]].itertuples(index=False, name=None)
        conditions = (("lfc@2", "none"), ("original", "fgsm"), ("original", "none"))
        assert sorted(found) == [(*cell, metric) for cell in conditions for metric in METRICS]
        assert set(scores["n"]) == {30}
        curves = store.curves()
        # Two epochs, two splits, two metrics; ten images each.
        assert len(curves) == 8
        assert set(curves["n"]) == {10}
    assert place.query("select status, suite, device from runs") == [("finished", "tiny", "cpu")]
    assert place.observer.events == [
        "before run", *["before task", "after task"] * 2, "after run"
    ]  # fmt: skip


def test_running_again_computes_nothing(place):
    place.run()
    before = place.query("select * from scores")
    summary, _ = place.run()

    assert (summary.trained, summary.evaluated) == (0, 0)
    assert place.query("select * from scores") == before
    assert place.query("select count(*) from runs") == [(1,)]


def test_more_of_a_suite_runs_only_what_is_new(place):
    place.run()
    summary, _ = place.run(SUITE.replace("[original, lfc@2]", "[original, lfc@2, hfc@2]"))
    assert (summary.trained, summary.evaluated) == (0, 1)


def test_a_new_metric_is_computed_from_stored_predictions(place):
    place.run()
    shutil.rmtree(place.folder / "checkpoints")
    place.run(SUITE + "metrics: [top1, loss, sure]\n")

    rows = place.query("select count(*), min(value) from results where metric = 'sure'")
    assert rows[0][0] == 3
    assert 1 / 3 <= rows[0][1] <= 1


def test_a_failing_training_is_a_row_and_the_rest_goes_on(place):
    text = SUITE.replace("[tiny]", "['tiny(broken=true)', tiny]")
    summary, failures = place.run(text)

    assert (summary.trained, summary.evaluated, summary.failed, summary.skipped) == (1, 3, 1, 1)
    assert failures[0].error == "RuntimeError: the layer is missing"
    (row,) = place.query("select kind, label, error, traceback from failures")
    assert row[0] == "training"
    assert "tiny(broken=true)" in row[1]
    assert "the layer is missing" in row[3]
    assert place.query("select status from runs") == [("finished_with_failures",)]
    assert "FAILED" in place.output.getvalue()


def test_a_failing_attack_takes_only_its_own_evaluations(place):
    summary, failures = place.run(SUITE.replace("[fgsm]", "[refuses, fgsm]"))

    assert (summary.evaluated, summary.failed) == (3, 1)
    assert failures[0].error == "RuntimeError: no way in"
    assert place.query("select kind from failures") == [("evaluation",)]
    # The failed one, and only that, is tried again.
    again, _ = place.run(SUITE.replace("[fgsm]", "[refuses, fgsm]"))
    assert (again.evaluated, again.failed) == (0, 1)
    assert place.query("select count(*) from failures") == [(2,)]


def test_an_interrupt_ends_in_order_and_the_rest_is_done_later(place):
    place.observer.interrupt_after = 1
    summary, _ = place.run()
    assert summary.interrupted
    assert (summary.trained, summary.evaluated) == (1, 0)
    assert place.query("select status from runs") == [("interrupted",)]

    summary, _ = place.run()
    assert (summary.trained, summary.evaluated, summary.interrupted) == (0, 3, False)


def test_a_lost_checkpoint_is_trained_again_to_the_same_file(place):
    place.run()
    sha256 = place.query("select sha256 from artifacts")
    shutil.rmtree(place.folder / "checkpoints")
    summary, failures = place.run(SUITE.replace("[original, lfc@2]", "[original, hfc@2]"))

    assert failures == []
    assert (summary.trained, summary.evaluated) == (1, 1)
    assert place.query("select sha256 from artifacts") == sha256


def test_a_curve_that_is_asked_for_later_is_added(place):
    place.run()
    more = SUITE.replace(
        "curves: {components: [original]", "curves: {components: [original, hfc@2]"
    )
    summary, failures = place.run(more)

    assert failures == []
    assert (summary.trained, summary.evaluated) == (1, 0)
    with open_store(place.database, read_only=True) as store:
        assert set(store.curves()["component"]) == {"original", "hfc@2"}
        assert len(store.curves()) == 16
    assert place.run(more)[0].trained == 0


def test_an_altered_checkpoint_is_noticed(place):
    place.run()
    (path,) = (place.folder / "checkpoints").rglob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    summary, failures = place.run(SUITE.replace("[original, lfc@2]", "[hfc@2]"))

    assert summary.failed == 1
    assert "is not the file that the database knows" in failures[0].error


@pytest.mark.parametrize(("inner", "outer", "kept"), [(1, 6, "lfc@8"), (10, 16, "hfc@8")])
def test_the_known_answer_comes_out(tmp_path, cache, inner, outer, kept):
    """Evidence in one ring of frequencies: that component scores as the original, the other not."""
    place = Workplace(tmp_path, cache)
    torch.manual_seed(0)
    place.run(
        f"""\
title: Known answer
datasets: ["planted-band(inner={inner}, outer={outer}, train_per_class=60, test_per_class=20)"]
schedule: {{epochs: 8, batch_size: 20, learning_rate: 0.002}}
components: [original, lfc@8, hfc@8]
rescaling: mean
blocks:
  - models: [lenet5]
"""
    )
    with open_store(place.database, read_only=True) as store:
        (row,) = store.leaderboard().frame.to_dict("records")
    lost = "hfc@8" if kept == "lfc@8" else "lfc@8"
    assert row["original"] > 0.95
    assert row[kept] == pytest.approx(row["original"], abs=0.03)
    assert row[lost] < 0.25
    assert np.isfinite(row["original_low"])

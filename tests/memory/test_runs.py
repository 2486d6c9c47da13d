"""Runs on a device with little memory: the same database, and one line about it."""

from __future__ import annotations

import io
import math
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from hfcbench import hookimpl
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation

SUITE = """
title: Little memory
datasets: ["planted-band(size=8, classes=3, train_per_class=10, test_per_class=8)"]
schedule: {epochs: 1, batch_size: 5}
curves: {components: []}
components: [original, lfc@2]
attacks: ["pgd(steps=2, random_start=true)"]
epsilons: [0.05]
blocks:
  - models: [glutton, needy]
    defences: [none, "randomised-smoothing(sigma=0.1, draws=2, attack_draws=2)"]
  - models: [glutton, needy]
    analyses:
      - fourier-heat-map
      - perturbation-spectrum
      - "certified-accuracy(n0=5, n=40)"
      - "prediction-conflicts(cutoff=2)"
"""
EVALUATED = """
    SELECT e.identity, p.predicted, p.confidence, p.loss, s.value, s.low, s.high
    FROM evaluations e JOIN predictions p USING (evaluation_id) JOIN scores s USING (evaluation_id)
"""
CHECKED = """
    SELECT e.identity, c.name, c.value, c.n FROM evaluations e
    JOIN reliability_checks c USING (evaluation_id)
"""
ANALYSED = """
    SELECT a.identity, q.name, q.value, q.low, q.high, q.array, q.array_low
    FROM analyses a JOIN quantities q USING (analysis_id)
"""


@pytest.fixture
def machine(tmp_path, memory, needy):
    """Runs the suite into a database, with so much memory for each model."""

    def run(name, rooms, console=None):
        spaces = {model: memory(capacity) for model, capacity in rooms.items()}

        class Trained(needy):
            """Fits while it is trained."""

            def forward(self, images):
                kept = self.memory
                self.memory = memory(1000) if self.training else kept
                try:
                    return super().forward(images)
                finally:
                    self.memory = kept

        def model(model_name):
            @dataclass(frozen=True)
            class Built:
                """A model that needs memory."""

                def check(self, shape, classes, options):
                    pass

                def build(self, shape, classes, options):
                    pixels = shape.channels * shape.height * shape.width
                    return Trained(spaces[model_name], pixels, classes)

            return Built

        @hookimpl
        def hfcbench_register_models(register):
            for model_name in spaces:
                register(model_name, model(model_name), version="1")

        plugin = SimpleNamespace(hfcbench_register_models=hfcbench_register_models)
        settings = Settings(
            database=str(tmp_path / f"{name}.db"),
            location=DataLocation(),
            cache_root=tmp_path / "cache",
            artifacts=tmp_path / name,
            device="cpu",
        )
        session = Session(load_plugins({"needy": plugin}, installed=()), settings)
        path = tmp_path / "suite.yaml"
        path.write_text(SUITE, encoding="utf-8")
        text = io.StringIO()
        summary, failures = session.run(session.plan(str(path)), Console(file=text, width=200))
        return summary, failures, text.getvalue()

    return run


@pytest.fixture
def stored(tmp_path):
    def rows(name, *statements):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            return [sorted(connection.execute(statement), key=repr) for statement in statements]

    return rows


def test_a_small_machine_ends_with_the_same_rows_and_tells_once(machine, stored):
    roomy = {"needy": math.inf, "glutton": math.inf}
    _, failures, text = machine("roomy", roomy)
    assert failures == []
    assert "memory" not in text

    # No image of one model fits; the run goes on with the other.
    summary, failures, text = machine("tight", {"needy": 7, "glutton": 0.5})
    assert summary.trained == 2
    assert {failure.kind for failure in failures} == {"evaluation", "analysis"}
    assert len(failures) == summary.evaluated + summary.analysed
    told = r"out of memory with one image of 1x8x8 in the model \(asked for 2.50 GiB\)\nuse"
    assert all(re.match(told, failure.error) for failure in failures)
    # A line for the evaluations of the other model, and one for its analyses.
    notes = re.findall(r"    (out of memory at .*)", text)
    told = "out of memory at 24 images: in parts of 6 from there on"
    assert notes == [told] * 2
    noted = "SELECT n.kind, t.model, n.note FROM notes n JOIN trainings t ON t.identity = "
    noted += "n.training_identity JOIN runs USING (run_id)"
    assert stored("tight", noted) == [[("analysis", "needy", told), ("evaluation", "needy", told)]]

    # More memory: what failed is done, and nothing else.
    summary, failures, _ = machine("tight", roomy)
    assert (summary.trained, failures) == (0, [])
    found = stored("tight", EVALUATED, CHECKED, ANALYSED)
    assert found == stored("roomy", EVALUATED, CHECKED, ANALYSED)
    assert all(map(len, found))
    assert stored("roomy", noted) == [[]]


def test_a_training_that_does_not_fit_fails_and_the_next_is_trained(machine, monkeypatch):
    from hfcbench.training import loop

    real = loop.train
    asked = []

    def failing(job, on_epoch):
        asked.append(job)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.00 GiB.")
        return real(job, on_epoch)

    monkeypatch.setattr(loop, "train", failing)
    summary, failures, _ = machine("first", {"needy": math.inf, "glutton": math.inf})
    assert summary.trained == 1
    (failure,) = failures
    assert failure.kind == "training"
    assert failure.error.startswith("out of memory (asked for 4.00 GiB)\nuse --device cpu")
    assert "OutOfMemoryError" in failure.traceback
    summary, failures, _ = machine("first", {"needy": math.inf, "glutton": math.inf})
    assert (summary.trained, failures) == (1, [])

"""Detectors through plan, run, resume and database."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from hfcbench import hookimpl
from hfcbench.detection_types import Found, Objects, Picture
from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.results.opening import open_store
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation, DatasetDescription, ImageShape

SUITE = """
title: Lamps
datasets: [lamps]
models: [dot-finder]
schedule: {epochs: 2, batch_size: 2, learning_rate: 0.1}
curves: {components: []}
components: [original, lfc@4, hfc@4]
blocks:
  - {}
"""


def lamp(index: int) -> Picture:
    left, top = 3 + index, 5
    box = np.array([[left, top, left + 6, top + 6]], np.float32)

    def read():
        pixels = np.zeros((3, 24, 32), np.uint8)
        pixels[:, top : top + 6, left : left + 6] = 255
        return pixels

    objects = Objects(box, np.zeros(1, np.int64), np.full(1, 36, np.float32), np.zeros(1, bool))
    return Picture(f"{index}.png", 24, 32, objects, str(index), read)


@dataclass(frozen=True)
class Lamps:
    """Pictures of one lamp each."""

    task: ClassVar = "detection"
    train: int = 4

    def prepare(self, location: DataLocation) -> None:
        pass

    def describe(self, location: DataLocation) -> DatasetDescription:
        sizes = {"train": self.train, "test": 3}
        return DatasetDescription(("lamp",), ImageShape(3, 24, 32), sizes, "1", "detection")

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        if split == "test":
            return [lamp(index) for index in (10, 11, 12)]
        return [lamp(index) for index in range(self.train)]


class Finder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(4))

    def forward(self, images):
        lit = (images[0].amax(0) > 0.8).nonzero()
        if not len(lit):
            return [Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))]
        box = torch.cat([lit.amin(0).flip(0), lit.amax(0).flip(0) + 1]).float()
        return [Found((box + self.offset)[None], torch.ones(1), torch.zeros(1, dtype=torch.int64))]

    def loss(self, images, targets):
        found = [self(image[None])[0].boxes for image in images]
        wanted = [target.boxes for target in targets]
        return (torch.cat(found) - torch.cat(wanted)).square().mean() + self.offset.sum() * 0


@dataclass(frozen=True)
class DotFinder:
    """Finds what is lit."""

    task: ClassVar = "detection"

    def check(self, classes: Sequence[str]) -> None:
        if "lamp" not in classes:
            raise SpecificationError("a dot-finder finds lamps")

    def files_sha256(self, location: DataLocation) -> str | None:
        return None

    def build(self, classes: Sequence[str], location: DataLocation) -> nn.Module:
        return Finder()


@hookimpl
def hfcbench_register_datasets(register):
    register("lamps", Lamps, version="1")


@hookimpl
def hfcbench_register_models(register):
    register("dot-finder", DotFinder, version="1")


PLUGIN = SimpleNamespace(
    hfcbench_register_datasets=hfcbench_register_datasets,
    hfcbench_register_models=hfcbench_register_models,
)


@pytest.fixture
def session(tmp_path):
    settings = Settings(
        database=str(tmp_path / "results.db"),
        location=DataLocation(),
        cache_root=tmp_path / "cache",
        device="cpu",
    )
    return Session(load_plugins({"lamps": PLUGIN}, installed=()), settings)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "lamps.yaml"
    path.write_text(SUITE)
    return str(path)


def run(session, suite, overrides=()):
    return session.run(session.plan(suite, overrides), Console(file=io.StringIO()))


def test_a_suite_of_detection_runs_and_is_done(session, suite):
    summary, failures = run(session, suite)
    assert (summary.trained, summary.evaluated, failures) == (1, 3, [])

    again, _ = run(session, suite)
    assert (again.trained, again.evaluated) == (0, 0)

    with open_store(session.settings.database, read_only=True) as store:
        columns, rows = store.query(
            "select component, metric, value, n from results where metric in ('map', 'ap50')"
        )
    found = {(row[0], row[1]): row[2:] for row in rows}
    assert columns == ["component", "metric", "value", "n"]
    assert found["original", "map"] == (1, 3)
    assert found["original", "ap50"] == (1, 3)
    # Without its mean and slow changes, a lamp is no longer lit through and through.
    assert found["hfc@4", "map"][0] < 1


def test_detections_are_kept(session, suite):
    plan = session.plan(suite)
    run(session, suite)
    (node,) = plan.nodes
    original = next(item for item in node.evaluations if item.component.label == "original")
    with open_store(session.settings.database, read_only=True) as store:
        kept = store.detections(original.identity)
    assert kept.pictures.names == ("10.png", "11.png", "12.png")
    assert kept.counts.tolist() == [1, 1, 1]
    np.testing.assert_allclose(kept.boxes, kept.pictures.boxes, atol=1e-4)


def test_a_metric_that_is_asked_for_later_is_added_from_what_is_kept(session, suite):
    run(session, suite, [(("metrics",), ["ap50"])])
    with open_store(session.settings.database, read_only=True) as store:
        assert store.query("select distinct metric from results")[1] == [("ap50",)]

    summary, _ = run(session, suite, [(("metrics",), ["ap50", "map"])])
    assert (summary.trained, summary.evaluated) == (0, 0)
    with open_store(session.settings.database, read_only=True) as store:
        assert store.query("select count(*) from results where metric = 'map'")[1] == [(3,)]


def test_what_is_for_classification_is_refused(session, suite):
    def complaint(path, value):
        with pytest.raises(SpecificationError) as caught:
            session.plan(suite, [(path, value), (("epsilons",), [0.1])])
        return str(caught.value)

    assert "attack 'fgsm' is for classification" in complaint(("attacks",), ["fgsm"])
    assert "'fourier-heat-map' is for classification" in complaint(
        ("analyses",), ["fourier-heat-map"]
    )
    assert "model 'lenet5' is for classification" in complaint(("models",), ["lenet5"])
    assert "metric 'top1' is for classification" in complaint(("metrics",), ["top1"])
    assert "dot-finder' is for detection" in complaint(("datasets",), ["photo-patches"])
    for heuristic in ("mixup", "dropout", "batchnorm", "label-shuffling", "adversarial-training"):
        assert f"'{heuristic}' is for classification" in complaint(("heuristics",), [heuristic])
    assert "'flip' mirrors" in complaint(("schedule", "augmentation"), "crop-flip")
    assert "trained in float32" in complaint(("schedule", "precision"), "bfloat16")


def test_heuristics_of_the_optimizer_go_with_detectors(session, suite):
    plan = session.plan(suite, [(("heuristics",), ["optimizer:SGD", "batch-size:3"])])
    assert [node.training.heuristics_label for node in plan.nodes] == [
        "optimizer:SGD",
        "batch-size:3",
    ]


def test_without_training_pictures_a_detector_cannot_be_trained(session, suite):
    untrained = [(("datasets",), ["lamps(train=0)"])]
    with pytest.raises(SpecificationError, match="no pictures to train on"):
        session.plan(suite, untrained)
    summary, failures = run(session, suite, [*untrained, (("schedule", "epochs"), 0)])
    assert (summary.trained, summary.evaluated, failures) == (1, 3, [])


def test_a_defence_of_images_stands_in_front_of_a_detector(session, suite):
    summary, failures = run(
        session, suite, [(("defences",), ["none", "low-pass"]), (("components",), ["original"])]
    )
    assert (summary.evaluated, failures) == (2, [])

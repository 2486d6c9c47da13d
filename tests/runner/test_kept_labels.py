"""The labels that a model was really trained on lie beside its checkpoint."""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
import torch
from rich.console import Console
from torch import nn

from hfcbench import hookimpl
from hfcbench.datasets.planted_band import PlantedBand
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation, Heuristic

DATASET = PlantedBand(size=8, outer=3, classes=3, train_per_class=20, test_per_class=10)
SUITE = """\
title: Tiny
datasets: ["planted-band(size=8, outer=3, classes=3, train_per_class=20, test_per_class=10)"]
schedule: {{epochs: 1, batch_size: 20, learning_rate: 0.01}}
curves: {{components: []}}
seeds: {seeds}
samples: {{train: {train}}}
blocks:
  - models: [tiny]
    heuristics: {heuristics}
"""


@dataclass(frozen=True)
class Tiny:
    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        pixels = shape.channels * shape.height * shape.width
        return nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes))


@dataclass(frozen=True)
class NextClass(Heuristic):
    """A third party's: every third label becomes the next class."""

    def relabel(self, labels, classes, generator):
        third = torch.arange(len(labels)) % 3 == 0
        return torch.where(third, (labels + 1) % classes, labels)


@dataclass(frozen=True)
class Unchanged(Heuristic):
    """A third party's that has its say and leaves all as it is."""

    def relabel(self, labels, classes, generator):
        return labels.clone()


BATCHES: list[tuple[np.ndarray, np.ndarray]] = []


@dataclass(frozen=True)
class Watch(Heuristic):
    """Notes the images and classes of every batch of the training loop."""

    def transform(self, batch, model, generator):
        BATCHES.append((batch.images.numpy().copy(), batch.targets.argmax(1).numpy()))
        return batch


def declare(kind: str, **factories: type) -> SimpleNamespace:
    def hook(register):
        for name, factory in factories.items():
            register(name.replace("_", "-"), factory, version="1")

    return SimpleNamespace(**{f"hfcbench_register_{kind}": hookimpl(hook)})


class Workplace:
    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.database = folder / "results.db"
        self.checkpoints = folder / "checkpoints"
        extra = {
            "model": declare("models", tiny=Tiny),
            "heuristics": declare(
                "heuristics", next_class=NextClass, unchanged=Unchanged, watch=Watch
            ),
        }
        settings = Settings(str(self.database), DataLocation(), cache, device="cpu")
        self.session = Session(load_plugins(extra, installed=()), settings)

    def run(self, heuristics: str, seeds: str = "[0]", train: int = 60) -> None:
        path = self.folder / "tiny.yaml"
        text = SUITE.format(heuristics=heuristics, seeds=seeds, train=train)
        path.write_text(text, encoding="utf-8")
        console = Console(file=io.StringIO())
        _, failures = self.session.run(self.session.plan(str(path)), console)
        assert failures == []

    def ask(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(sql).fetchall()
            connection.commit()
            return rows

    def forget_evaluations(self) -> None:
        """So that the checkpoint is needed once more."""
        for table in ("scores", "predictions", "evaluations"):
            self.ask(f"delete from {table}")

    def files(self) -> dict[tuple[str, int], dict[str, np.ndarray]]:
        """The stored labels by heuristics and seed, each checked against its row."""
        found = {}
        for heuristics, seed, path, sha256, size in self.ask(
            "select heuristics, seed, path, sha256, size_bytes from artifacts "
            "join trainings using (training_id) where kind = 'training-labels'"
        ):
            content = (self.checkpoints / path).read_bytes()
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
            found[heuristics, seed] = safetensors.numpy.load(content)
        return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path, cache: Path) -> Workplace:
    return Workplace(tmp_path, cache)


def dataset() -> tuple[np.ndarray, np.ndarray]:
    """The training split as the dataset itself gives it, without hfcbench's cache."""
    chunks = list(DATASET.read(DataLocation(), "train"))
    images, labels = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return images, labels


def test_shuffled_labels_are_kept_with_the_order_that_made_them(place):
    place.run("[label-shuffling]", seeds="[0, 1]")
    images, own = dataset()
    kept = place.files()
    assert set(kept) == {("label-shuffling", 0), ("label-shuffling", 1)}
    for file in kept.values():
        assert {name: array.dtype for name, array in file.items()} == dict.fromkeys(
            ("labels", "positions", "order"), np.dtype("<i8")
        )
        assert file["positions"].tolist() == list(range(len(images)))
        # Every class keeps its 20 images, and every image gives its label to exactly one.
        assert np.bincount(file["labels"]).tolist() == [20, 20, 20]
        assert sorted(file["order"]) == list(range(60))
        np.testing.assert_array_equal(file["labels"], own[file["order"]])
        assert (file["labels"] != own).sum() > 20
    one, other = kept.values()
    assert (one["labels"] != other["labels"]).sum() > 20


def test_the_file_says_what_the_loop_was_trained_on(place):
    BATCHES.clear()
    # A sample of the split, so that places in the sample and in the split differ.
    place.run("[[label-shuffling, watch]]", train=40)
    images, own = dataset()
    (file,) = place.files().values()
    assert len(set(file["positions"])) == 40
    label_of = {
        images[position].tobytes(): label
        for position, label in zip(file["positions"], file["labels"], strict=True)
    }
    assert len(label_of) == 40
    seen = 0
    for pixels, targets in BATCHES:
        for image, target in zip(np.rint(pixels * 255).astype(np.uint8), targets, strict=True):
            assert label_of[image.tobytes()] == target
            seen += 1
    assert seen == 40
    # The order is among the images of the sample.
    np.testing.assert_array_equal(file["labels"], own[file["positions"]][file["order"]])


def test_a_third_partys_labels_are_kept_and_the_datasets_own_are_not(place):
    place.run("[vanilla, unchanged, next-class, [next-class, label-shuffling]]")
    _, own = dataset()
    kept = place.files()
    assert set(kept) == {("next-class", 0), ("next-class+label-shuffling", 0)}
    expected = own.copy()
    expected[::3] = (own[::3] + 1) % 3
    np.testing.assert_array_equal(kept["next-class", 0]["labels"], expected)
    # No order leads from the dataset's labels to these.
    assert set(kept["next-class", 0]) == {"labels", "positions"}
    both = kept["next-class+label-shuffling", 0]
    assert set(both) == {"labels", "positions"}
    np.testing.assert_array_equal(np.bincount(both["labels"]), np.bincount(expected))
    assert place.ask("select count(*) from artifacts where kind = 'checkpoint'") == [(4,)]


def test_training_again_gives_the_same_file(place, cache, tmp_path):
    place.run("[label-shuffling]")
    before, rows = place.files(), place.ask("select * from artifacts")
    shutil.rmtree(place.checkpoints)
    place.forget_evaluations()
    place.run("[label-shuffling]")
    assert place.ask("select * from artifacts") == rows
    np.testing.assert_equal(place.files(), before)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Workplace(elsewhere, cache)
    other.run("[label-shuffling]")
    np.testing.assert_equal(other.files(), before)
    assert other.ask("select sha256 from artifacts") == place.ask("select sha256 from artifacts")


def test_other_labels_than_the_database_knows_are_refused(place):
    place.run("[label-shuffling]")
    shutil.rmtree(place.checkpoints)
    place.ask("update artifacts set sha256 = 'ab' where kind = 'training-labels'")
    place.forget_evaluations()
    plan = place.session.plan(str(place.folder / "tiny.yaml"))
    summary, failures = place.session.run(plan, Console(file=io.StringIO()))
    assert summary.trained == 0
    assert "another file of training labels than the database knows" in failures[0].error
    assert not list(place.checkpoints.rglob("*.labels.safetensors"))


def test_a_training_that_lacks_its_file_gains_it_when_it_is_repeated(place):
    place.run("[label-shuffling]")
    kept = place.files()
    place.ask("delete from artifacts where kind = 'training-labels'")
    shutil.rmtree(place.checkpoints)
    place.forget_evaluations()
    place.run("[label-shuffling]")
    np.testing.assert_equal(place.files(), kept)

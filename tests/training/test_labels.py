"""Labels as heuristics want them, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import safetensors.numpy
import torch

from hfcbench.errors import NodeError
from hfcbench.training.labels import save_labels, training_labels
from hfcbench.types import Heuristic


@dataclass(frozen=True)
class Relabel(Heuristic):
    change: object

    def relabel(self, labels, classes, generator):
        return self.change(labels, generator)


def test_heuristics_relabel_in_their_order(job):
    double = Relabel(lambda labels, generator: labels * 2)
    shift = Relabel(lambda labels, generator: (labels + 1) % 3)
    labels = torch.from_numpy(job.train.labels)
    before = labels.clone()
    relabelled = training_labels(
        replace(job, heuristics=(shift, Relabel(lambda labels, _: labels.neg_() + 2)))
    )
    assert torch.equal(relabelled.labels, 2 - (before + 1) % 3)
    assert relabelled.changed
    assert relabelled.order is None
    assert torch.equal(labels, before)
    with pytest.raises(NodeError, match=r"heuristic Relabel returned labels outside 0\.\.2"):
        training_labels(replace(job, heuristics=(double,)))


def draw_from(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def test_each_heuristic_draws_on_its_own(job):
    draws: list[float] = []
    draw = Relabel(lambda labels, generator: draws.append(draw_from(generator)) or labels)
    training_labels(replace(job, heuristics=(draw, draw)))
    training_labels(replace(job, heuristics=(Heuristic(), draw)))
    training_labels(replace(job, heuristics=(draw,), seed=1))
    assert draws[2] == draws[1]
    assert len(set(draws)) == 3


@pytest.mark.parametrize(
    "change",
    [lambda x, _: x[1:], lambda x, _: x.float(), lambda x, _: x[:, None]],
)
def test_what_is_no_labels_is_named(job, change):
    with pytest.raises(NodeError, match="heuristic Relabel returned labels of shape"):
        training_labels(replace(job, heuristics=(Relabel(change),)))


@dataclass(frozen=True)
class Reorder(Heuristic):
    order: tuple[int, ...]
    dtype: torch.dtype = torch.int64

    def label_order(self, count, generator):
        return torch.tensor(self.order, dtype=self.dtype)


class Misleading(Reorder):
    def relabel(self, labels, classes, generator):
        return labels.flip(0)


@pytest.fixture
def four(job):
    """A job of four images with the labels 0, 1, 2, 2."""
    images = job.train.images[:4]
    return replace(job, train=replace(job.train, images=images, labels=np.array([0, 1, 2, 2])))


def test_orders_are_applied_one_after_the_other(four):
    found = training_labels(
        replace(four, heuristics=(Reorder((1, 2, 3, 0)), Reorder((1, 0, 2, 3))))
    )
    # First 1, 2, 2, 0 from images 1, 2, 3, 0; then the first two change places.
    assert found.labels.tolist() == [2, 1, 2, 0]
    assert found.order is not None
    assert found.order.tolist() == [2, 1, 3, 0]
    assert found.changed


def test_labels_that_end_as_they_were_are_the_datasets(four):
    assert not training_labels(four).changed
    # The two images of class 2 change places.
    same = training_labels(replace(four, heuristics=(Reorder((0, 1, 3, 2)),)))
    assert not same.changed
    back = Relabel(lambda labels, _: (labels + 1) % 3), Relabel(lambda labels, _: (labels + 2) % 3)
    assert not training_labels(replace(four, heuristics=back)).changed


@pytest.mark.parametrize(
    "heuristic",
    [
        Misleading((0, 2, 1, 3)),
        Misleading((0, 0, 1, 2)),
        Misleading((0, 1)),
        Misleading((3, 2, 1, 0), torch.int32),
    ],
)
def test_an_order_that_is_not_what_was_done_is_refused(four, heuristic):
    with pytest.raises(NodeError, match="relabels otherwise than by its label order"):
        training_labels(replace(four, heuristics=(heuristic,)))
    training_labels(replace(four, heuristics=(Misleading((3, 2, 1, 0)),)))


def test_the_file_holds_places_and_labels(four, tmp_path):
    found = training_labels(replace(four, heuristics=(Reorder((1, 2, 3, 0)),)))
    positions = np.array([3, 5, 8, 9])
    saved = save_labels(found, positions, tmp_path / "a" / "labels")
    file = safetensors.numpy.load_file(tmp_path / "a" / "labels")
    assert {name: array.tolist() for name, array in file.items()} == {
        "positions": [3, 5, 8, 9],
        "labels": [1, 2, 2, 0],
        "order": [1, 2, 3, 0],
    }
    assert save_labels(found, positions, tmp_path / "again", saved[0]) == saved
    with pytest.raises(NodeError, match="another file of training labels"):
        save_labels(found, positions + 1, tmp_path / "other", saved[0])
    assert not (tmp_path / "other").exists()

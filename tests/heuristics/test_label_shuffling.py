"""Labels in another order."""

from __future__ import annotations

import torch

from hfcbench.heuristics.label_shuffling import LabelShuffling

LABELS = torch.arange(1000) % 7 % 4


def shuffled(seed):
    return LabelShuffling().relabel(LABELS, 4, torch.Generator().manual_seed(seed))


def test_classes_keep_their_sizes():
    assert shuffled(0).bincount().tolist() == LABELS.bincount().tolist()
    assert shuffled(0).dtype == torch.int64


def test_labels_lose_their_relation_to_the_images():
    shares = LABELS.bincount() / len(LABELS)
    by_chance = shares.square().sum()
    agreement = (shuffled(0) == LABELS).float().mean()
    # Five standard deviations of a share of 1000.
    assert abs(agreement - by_chance) < 5 * (0.25 / 1000) ** 0.5


def test_a_seed_decides_the_order():
    assert torch.equal(shuffled(3), shuffled(3))
    assert not torch.equal(shuffled(3), shuffled(4))


def test_the_given_labels_are_left_alone():
    before = LABELS.clone()
    shuffled(0)
    assert torch.equal(before, LABELS)


def test_the_order_is_that_of_the_labels():
    order = LabelShuffling().label_order(len(LABELS), torch.Generator().manual_seed(5))
    assert order.sort().values.tolist() == list(range(len(LABELS)))
    assert torch.equal(LABELS[order], shuffled(5))

"""Labels as heuristics want them, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from hfcbench.errors import NodeError
from hfcbench.training.labels import training_labels
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
    assert torch.equal(relabelled, 2 - (before + 1) % 3)
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

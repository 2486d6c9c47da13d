"""Every pair of built-in heuristics: each has its effect beside the other, or the pair is refused.

The pairs that are refused are those that docs/study.md names.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hfcbench.errors import SpecificationError
from hfcbench.heuristics.adversarial_training import AdversarialTraining
from hfcbench.heuristics.mixup import Mixup
from hfcbench.heuristics.trades import Trades
from hfcbench.models.lenet5 import LeNet5
from hfcbench.plugins import load_plugins
from hfcbench.recipes import configured
from hfcbench.references import parse_label
from hfcbench.runner.expansion import expand
from hfcbench.runner.specification import DatasetKey
from hfcbench.runner.suite_file import read_suite
from hfcbench.training.job import TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import DataLocation, Heuristic, ImageShape, ImageSplit, Schedule

PAGE = Path(__file__).parents[2] / "docs" / "study.md"
REGISTRY = load_plugins(installed=()).registry
LABELS = {
    "adversarial-training": "adversarial-training(steps=1,epsilon=0.1)",
    "batch-size": "batch-size:7",
    "batchnorm": "batchnorm",
    "dropout": "dropout",
    "label-shuffling": "label-shuffling",
    "mixup": "mixup",
    "optimizer": "optimizer:RMSprop",
    "trades": "trades(steps=1,epsilon=0.1)",
}
SCHEDULE = Schedule(epochs=1, batch_size=10, learning_rate=0.01)
PAIRS = list(itertools.product(LABELS, repeat=2))
EXCLUDE_EACH_OTHER = {("adversarial-training", "trades")}


def made(name):
    label = LABELS.get(name, name)
    return REGISTRY.create(REGISTRY.resolve("heuristic", *parse_label(label)))


def refused(first, second):
    return first == second or tuple(sorted((first, second))) in EXCLUDE_EACH_OTHER


def images(count):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (count, 1, 12, 12), dtype=np.uint8)
    return ImageSplit(pixels, generator.integers(0, 3, count))


def weights(*heuristics):
    shape = ImageShape(1, 12, 12)
    job = TrainingJob(
        train=images(21),
        test=images(2),
        shape=shape,
        classes=3,
        model=LeNet5(width=2),
        schedule=SCHEDULE,
        seed=0,
        device=torch.device("cpu"),
        heuristics=heuristics,
    )
    return {name: value.numpy() for name, value in train(job).module.state_dict().items()}


def differ(left, right):
    return left.keys() != right.keys() or any(
        not np.array_equal(left[name], right[name]) for name in left
    )


def test_every_built_in_is_here():
    assert set(LABELS) == {known.name for known in REGISTRY.all("heuristic")}


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if not refused(*pair)])
def test_a_pair_is_trained_and_each_of_it_has_its_effect(first, second):
    one, other = made(first), made(second)
    both = weights(one, other)
    assert all(np.isfinite(value).all() for value in both.values())
    # A heuristic that does nothing keeps the other's place, and so its random numbers.
    assert differ(both, weights(one, Heuristic()))
    assert differ(both, weights(Heuristic(), other))


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if refused(*pair)])
def test_a_refusal_names_both_and_what_they_quarrel_about(first, second):
    with pytest.raises(SpecificationError) as caught:
        configured(SCHEDULE, [made(first), made(second)])
    assert re.fullmatch(
        f"two heuristics of one training decide [A-Za-z -]+: '{first}' and '{second}'",
        caught.value.what,
    )


def test_the_page_names_every_refused_pair():
    rows = re.findall(r"^\| `(\S+)`, `(\S+)` \| refused: ", PAGE.read_text("utf-8"), re.M)
    names = {tuple(sorted(row)) for row in rows}
    assert names == EXCLUDE_EACH_OTHER | {("batch-size:1", "mixup")}
    for first, second in rows:
        for pair in ((first, second), (second, first)):
            with pytest.raises(SpecificationError):
                configured(SCHEDULE, [made(name) for name in pair])


def test_every_pair_that_the_page_describes_can_be_trained():
    rows = re.findall(r"^\| `(\S+)`(?:, `(\S+)`)? \| (?!refused)", PAGE.read_text("utf-8"), re.M)
    pairs = [[*first.split("+"), *filter(None, [second])] for first, second in rows]
    assert len(pairs) > 5
    for pair in pairs:
        assert len(pair) == 2
        weights(*map(made, pair))


@dataclass(frozen=True)
class Watch(Heuristic):
    seen: list

    def transform(self, batch, model, generator):
        self.seen.append(batch)
        return batch


@pytest.mark.parametrize("attacked_first", [True, False])
def test_which_images_adversarial_training_attacks_beside_mixup(attacked_first):
    seen: list = []
    pair: list[Heuristic] = [Mixup(alpha=50.0), AdversarialTraining(steps=1, step_share=1.0)]
    pair = list(reversed(pair)) if attacked_first else pair
    weights(Watch(seen), pair[0], Watch(seen), pair[1], Watch(seen))
    given, between, trained_on = seen[:3]
    change = (trained_on.images - between.images).abs()
    if attacked_first:
        # What is mixed are the attacked images: the change is as large as images differ.
        assert (between.images - given.images).abs().amax() <= 0.03 + 1e-6
        assert torch.equal(between.targets, given.targets)
        assert change.amax() > 0.2
    else:
        assert (between.images - given.images).abs().amax() > 0.2
        assert torch.equal(trained_on.targets, between.targets)
        assert 0.029 < change.amax() <= 0.03 + 1e-6


class Datasets:
    location = DataLocation()

    def key(self, reference):
        shape = ImageShape(3, 32, 32)
        return DatasetKey("images", "images", "1", "content", shape, 10, 400, 100, reference)


@pytest.mark.parametrize(
    ("model", "heuristics", "reason"),
    [
        (
            "lenet5",
            "mixup+batch-size:1",
            "'mixup' mixes the images .* heuristic 'batch-size' makes",
        ),
        ("lenet5", "trades+adversarial-training", "decide adv.*: 'trades' and 'adversarial-tr"),
        ("timm/resnet10t", "mixup+batchnorm", "'timm/resnet10t' has BatchNorm already: the heur"),
        ("timm/vit_tiny_patch16_224", "batchnorm", "has no place for BatchNorm: the heuristic 'b"),
    ],
)
def test_suites_are_refused_before_anything_runs(model, heuristics, reason):
    text = f"title: Pairs\nblocks:\n  - models: [{model}]\n    heuristics: ['{heuristics}']\n"
    with pytest.raises(SpecificationError, match=rf"pairs\.yaml:[34]: .*{reason}"):
        expand(read_suite("pairs", "pairs.yaml", text), REGISTRY, Datasets())


def test_three_go_together_where_each_two_do():
    full = replace(SCHEDULE, epochs=0)
    recipe = configured(full, [made(name) for name in LABELS if name != "trades"])
    assert (recipe.options.batchnorm, recipe.options.dropout) == (True, 0.5)
    assert differ(weights(made("batchnorm"), Mixup(), Trades(steps=1)), weights(Mixup()))

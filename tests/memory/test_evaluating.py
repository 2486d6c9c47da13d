"""Evaluations that run out of memory end with the results of those that do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from hfcbench.attack_types import Attack, Search
from hfcbench.attacks.noise import Noise
from hfcbench.attacks.pgd import PGD
from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.defences.bit_depth import BitDepth
from hfcbench.defences.randomised_smoothing import RandomisedSmoothing
from hfcbench.evaluation.cells import Cell, CellFailure, CellResult
from hfcbench.evaluation.engine import evaluate
from hfcbench.frequency.components import Component
from hfcbench.memory.part_size import PartSize
from hfcbench.types import ImageSplit

CPU = torch.device("cpu")
SMOOTHED = {"defence": RandomisedSmoothing(0.1, draws=2, attack_draws=2), "defence_key": "smoothed"}
STEPS = PGD(steps=3, step_share=0.5, random_start=True, restarts=2)
WORST = Search("worst-case")
CELLS = [
    Cell("clean"),
    Cell("fewer", samples=12),
    Cell("lfc", Component(FFTRadial(), 0, 2.0)),
    Cell("coarse", defence=BitDepth(2), defence_key="coarse"),
    Cell("smoothed", **SMOOTHED),
    Cell("noise", attack=Noise(draws=2), attack_key="noise", epsilon=0.2),
    Cell("full", attack=STEPS, attack_key="pgd", epsilon=0.05),
    Cell("worst", attack=STEPS, attack_key="pgd", epsilon=0.05, search=WORST),
    Cell(
        "larger",
        attack=STEPS,
        attack_key="pgd",
        epsilon=0.1,
        search=Search("worst-case", smaller_epsilons=(0.05,)),
    ),
    Cell("averaged", attack=STEPS, attack_key="pgd", epsilon=0.05, search=WORST, **SMOOTHED),
]


@pytest.fixture(scope="module")
def split() -> ImageSplit:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (24, 3, 4, 4), dtype=np.uint8)
    return ImageSplit(pixels, generator.integers(0, 3, 24))


def run(model, split, cells=CELLS, part_size=None):
    return evaluate(model, split, cells, device=CPU, seed=3, batch_size=10, part_size=part_size)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, result in expected.items():
        other = found[key]
        assert isinstance(result, CellResult), result
        assert isinstance(other, CellResult), other
        for name in ("labels", "predicted", "confidence", "loss"):
            one, two = (getattr(item.predictions, name) for item in (result, other))
            np.testing.assert_array_equal(one, two, err_msg=f"{name} of {key}")
        assert other.checks == result.checks, key


@pytest.mark.parametrize("capacity", [6, 1])
def test_every_condition_has_the_same_result_to_the_last_bit(capacity, memory, needy, split):
    expected = run(needy(memory(1000)), split)
    tight, part_size = memory(capacity), PartSize()
    found = run(needy(tight), split, part_size=part_size)
    assert_same(found, expected)
    assert len(part_size.notes) == 1
    assert tight.used == 0
    # What is searched for is worth the comparison.
    accuracies = {
        key: float((item.predictions.predicted == item.predictions.labels).mean())
        for key, item in expected.items()
    }
    assert 0 < accuracies["larger"] < accuracies["worst"] < accuracies["clean"] < 1


def test_memory_runs_out_once_for_each_size_and_is_told_once(memory, needy, split):
    tight, part_size = memory(6), PartSize()
    run(needy(tight), split, part_size=part_size)
    assert tight.failures == [10]
    run(needy(tight), split, part_size=part_size)
    assert tight.failures == [10]
    assert part_size.notes == ("out of memory at 10 images: in parts of 6 from there on",)


def test_attacks_that_alone_do_not_fit_do_not_change_what_was_answered_before(memory, needy, split):
    """Only gradients are too large: the failure comes in the middle of a batch."""

    class Climbed(memory):
        def take(self, images):
            if not torch.is_grad_enabled() and self.used == 0:
                return torch.zeros(images)
            return super().take(images)

    expected = run(needy(memory(1000)), split)
    found = run(needy(Climbed(6)), split)
    assert_same(found, expected)


def test_answers_of_a_failed_attempt_are_forgotten(needy, memory, split, errors):
    """They are of the chosen images, or of all, and would be kept for the others."""

    class FailsOnce(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.calls, self.failed = needy(memory(1000)), 0, False

        def forward(self, images):
            self.calls += len(images) > 1
            if self.calls == 4 and not self.failed:
                self.failed = True
                raise errors["cuda"]()
            return self.inner(images)

    cells = [Cell("all"), Cell("fewer", samples=12), CELLS[2]]
    cells += [Cell("fewer-lfc", CELLS[2].component, samples=12)]
    model = FailsOnce()
    found = run(model, split, cells)
    assert model.failed
    assert_same(found, run(needy(memory(1000)), split, cells))


class Hoarding(Attack):
    """Needs memory of its own, whatever the model needs."""

    def perturb(self, model, images, labels, epsilons, generator):
        with torch.no_grad():
            model(images)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")


def test_an_attack_that_does_not_fit_alone_fails_alone(memory, needy, split):
    hoarding = Cell("hoarding", attack=Hoarding(), attack_key="hoarding", epsilon=0.1)
    part_size = PartSize()
    tight = memory(1000)
    found = run(needy(tight), split, [hoarding, *CELLS], part_size)
    failed = found.pop("hoarding")
    assert isinstance(failed, CellFailure)
    assert "out of memory (asked for 9.00 GiB)" in str(failed.error)
    assert "OutOfMemoryError" in failed.traceback
    assert_same(found, run(needy(memory(1000)), split))
    assert part_size.notes == ()


@dataclass(frozen=True)
class Greedy:
    """Gives the model a memory that is too small for a single image."""

    memory: type

    def defend(self, model):
        model.memory = self.memory(0.5)
        return model


def test_one_image_that_does_not_fit_fails_its_cells_and_slows_nobody(memory, needy, split):
    greedy = Cell("greedy", defence=Greedy(memory), defence_key="greedy")
    part_size = PartSize()
    counts: list[int] = []
    model = needy(memory(1000))
    model.register_forward_pre_hook(lambda _, given: counts.append(len(given[0])))
    found = run(model, split, [greedy, Cell("clean")], part_size)
    failed = found["greedy"]
    assert isinstance(failed, CellFailure)
    assert "with one image of 3x4x4 in the model" in str(failed.error)
    assert isinstance(found["clean"], CellResult)
    assert part_size.images is None
    assert part_size.notes == ("out of memory at 10 images: in parts of 1 for a while",)
    assert counts[-3:] == [10, 10, 4]


def test_a_plain_error_is_no_reason_to_try_again(split):
    calls = []

    class Broken(torch.nn.Module):
        def forward(self, images):
            calls.append(len(images))
            if len(images) > 1:
                raise RuntimeError("CUDA error: device-side assert triggered")
            return torch.zeros(len(images), 3)

    found = run(Broken(), split, [Cell("clean")])
    assert isinstance(found["clean"], CellFailure)
    assert "device-side assert" in str(found["clean"].error)
    assert calls == [1, 10]

"""Attacked cells: ladders, criteria, modes and precisions, each for itself."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.attack_types import Attack, Search
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.defence_modules import InputTransform, RandomAnswers
from hfcbench.evaluation.cells import Cell, CellFailure, CellResult
from hfcbench.evaluation.engine import evaluate
from hfcbench.frequency.components import Component
from hfcbench.types import ImageSplit

CPU = torch.device("cpu")
WORST = Search("worst-case")
LADDER = (0.02, 0.05, 0.1)


def network() -> nn.Module:
    """Untrained, with averages of BatchNorm that are not the identity."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)
    )
    model(torch.rand(64, 3, 8, 8))
    return model.eval()


@pytest.fixture(scope="module")
def split() -> ImageSplit:
    """Labels are the network's own answers, but for every tenth."""
    pixels = np.random.default_rng(0).integers(0, 256, (70, 3, 8, 8)).astype(np.uint8)
    with torch.no_grad():
        labels = network()(torch.from_numpy(pixels) / 255).argmax(1).numpy().copy()
    labels[::10] = (labels[::10] + 1) % 4
    return ImageSplit(pixels, labels)


class Noisy(RandomAnswers):
    def draw(self, images):
        return self.model(images + 0.05 * torch.randn_like(images)).softmax(1)


class Coarse(InputTransform):
    def transform(self, images):
        return (images * 7).round() / 7


class Mirrored(nn.Module):
    """The same model on images that are turned over."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images.flip(3))


@dataclass(frozen=True)
class Defend:
    make: type[nn.Module]
    draws: tuple[int, ...] = ()

    def defend(self, model):
        return self.make(model, *self.draws).eval()


DEFENCES = {
    "none": None,
    "coarse": Defend(Coarse),
    "mirrored": Defend(Mirrored),
    "noisy": Defend(Noisy, (2, 2)),
}


def cell(epsilon: float, search: Search = WORST, *, attack: Attack | None = None, defence="none",
         component: Component | None = None) -> Cell:  # fmt: skip
    attack = PGD(steps=4, step_share=0.3, random_start=True) if attack is None else attack
    return Cell(
        f"{attack} {epsilon} {search} {defence} {component}",
        component=Component() if component is None else component,
        defence=DEFENCES[defence],
        defence_key=defence,
        attack=attack,
        attack_key=str(attack),
        epsilon=epsilon,
        search=search,
    )


def ladder(epsilons, mode="adaptive", precision="float32", **more) -> list[Cell]:
    """A worst-case cell for each epsilon, over those before it."""
    return [
        cell(epsilon, Search("worst-case", mode, precision, tuple(epsilons[:position])), **more)
        for position, epsilon in enumerate(epsilons)
    ]


def found(split, cells, **options) -> dict[str, CellResult]:
    options = {"device": CPU, "seed": 3, "batch_size": 32, **options}
    results = evaluate(network(), split, cells, **options)
    for result in results.values():
        assert isinstance(result, CellResult), result.traceback
    return results


def assert_same(one: CellResult, other: CellResult) -> None:
    for name in ("predicted", "confidence", "loss"):
        np.testing.assert_array_equal(
            getattr(one.predictions, name), getattr(other.predictions, name)
        )
    assert one.checks == other.checks


def right(result: CellResult) -> np.ndarray:
    return result.predictions.predicted == result.predictions.labels


def everything() -> list[Cell]:
    """Cells of every kind; no two are answered alike."""
    cells, rungs = [], LADDER[1:]
    for defence in ("none", "mirrored", "noisy"):
        modes = ("adaptive",) if defence == "none" else ("adaptive", "oblivious", "transfer")
        for mode in modes:
            if mode != "transfer":
                cells += ladder(rungs, mode, defence=defence)
                cells += ladder(rungs[1:], mode, defence=defence)
                cells += ladder(rungs[:1], mode, "bfloat16", defence=defence)
            cells += [cell(epsilon, Search("full", mode), defence=defence) for epsilon in rungs]
            cells += [
                cell(epsilon, Search("exact", mode), attack=FGSM(), defence=defence)
                for epsilon in rungs
            ]
    return cells


def test_each_cell_alone_is_as_all_together(split):
    cells = everything()
    together = found(split, cells)
    assert len(together) == len(cells)
    for one in cells:
        assert_same(found(split, [one])[one.key], together[one.key])
    # Nor does the order matter.
    again = found(split, cells[::-1])
    for one in cells:
        assert_same(again[one.key], together[one.key])


@pytest.mark.parametrize("epsilons", [(0.05,), (0.05, 0.1), (0.1,), LADDER])
def test_a_result_depends_on_its_own_ladder_only(split, epsilons):
    whole = found(split, [*ladder(LADDER), *ladder((0.05,)), *ladder((0.1,))])
    mine = found(split, ladder(epsilons))
    for one in ladder(epsilons):
        # Those that are not among them were searched after another beginning.
        if one.key in whole:
            assert_same(mine[one.key], whole[one.key])


def test_what_is_broken_once_stays_broken_on_the_ladder(split):
    results = found(split, ladder(LADDER))
    answers = [right(results[one.key]) for one in ladder(LADDER)]
    for smaller, larger in itertools.pairwise(answers):
        assert (larger <= smaller).all()
    # An epsilon by itself has no memory: it is another search.
    alone = found(split, ladder(LADDER[-1:]))
    assert (right(next(iter(alone.values()))) >= answers[-1]).all()


@torch.enable_grad()
def gradient(model, images, labels) -> torch.Tensor:
    inputs = images.clone().requires_grad_()
    nn.functional.cross_entropy(model(inputs), labels, reduction="sum").backward()
    return inputs.grad


def by_hand(model, split, epsilon, steps) -> np.ndarray:
    """PGD of 0.3 epsilon a step from the image, all steps for every image, in plain torch."""
    images = torch.from_numpy(split.images) / 255
    labels = torch.from_numpy(split.labels)
    current = images
    for _ in range(steps):
        step = current + 0.3 * epsilon * gradient(model, current, labels).sign()
        current = torch.minimum(torch.maximum(step, images - epsilon), images + epsilon).clamp(0, 1)
    return current


def test_full_takes_every_step_and_exact_is_one_step(split):
    attack = PGD(steps=4, step_share=0.3)
    full = cell(0.05, Search("full"), attack=attack)
    exact = cell(0.05, Search("exact"), attack=FGSM())
    results = found(split, [full, exact], batch_size=70)
    model = network()
    with torch.no_grad():
        expected = model(by_hand(model, split, 0.05, 4)).argmax(1).numpy()
    np.testing.assert_array_equal(results[full.key].predictions.predicted, expected)
    images, labels = torch.from_numpy(split.images) / 255, torch.from_numpy(split.labels)
    step = (images + 0.05 * gradient(model, images, labels).sign()).clamp(0, 1)
    with torch.no_grad():
        expected = model(step).argmax(1).numpy()
    np.testing.assert_array_equal(results[exact.key].predictions.predicted, expected)


def test_the_worst_case_is_no_better_than_any_step(split):
    attack = PGD(steps=4, step_share=0.3)
    worst = cell(0.05, attack=attack)
    robust = right(found(split, [worst], batch_size=70)[worst.key])
    model = network()
    labels = torch.from_numpy(split.labels)
    alive = np.ones(70, bool)
    for steps in range(5):
        with torch.no_grad():
            alive &= (model(by_hand(model, split, 0.05, steps)).argmax(1) == labels).numpy()
    np.testing.assert_array_equal(robust, alive)
    assert 0 < robust.mean() < 0.9


def test_transfer_gives_the_defended_model_the_images_of_the_undefended_one(split):
    attack = PGD(steps=4, step_share=0.3)
    one = cell(0.05, Search("full", "transfer"), attack=attack, defence="mirrored")
    result = found(split, [one], batch_size=70)[one.key]
    model = network()
    images = by_hand(model, split, 0.05, 4)
    with torch.no_grad():
        np.testing.assert_array_equal(
            result.predictions.predicted, model(images.flip(3)).argmax(1).numpy()
        )
    # Through the defence, an attack finds more.
    adaptive = cell(0.05, Search("full"), attack=attack, defence="mirrored")
    assert right(found(split, [adaptive])[adaptive.key]).mean() < right(result).mean()


@dataclass(frozen=True)
class Halves:
    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        return [(images / cutoff, images - images / cutoff) for cutoff in cutoffs]


def test_a_component_is_cut_out_of_the_last_images(split):
    half = Component(Halves(), 0, 2.0)
    attack = PGD(steps=4, step_share=0.3)
    part = cell(0.05, Search("full"), attack=attack, component=half)
    result = found(split, [part, cell(0.05, attack=attack)], batch_size=70)[part.key]
    model = network()
    with torch.no_grad():
        expected = model(by_hand(model, split, 0.05, 4) / 2).argmax(1).numpy()
    np.testing.assert_array_equal(result.predictions.predicted, expected)


def test_gradients_in_bfloat16_leave_verdicts_alone(split):
    half, single = (
        cell(0.05, Search("worst-case", "adaptive", precision))
        for precision in ("bfloat16", "float32")
    )
    results = found(split, [half, single])
    # Rounding flips the signs of small gradients, so that some images differ; scores hardly do.
    robust = [right(results[one.key]).mean() for one in (half, single)]
    assert abs(robust[0] - robust[1]) < 0.1
    # Answers are of the model itself: an image that is wrong when clean is as it was.
    clean = evaluate(network(), split, [Cell("clean")], device=CPU, batch_size=32)["clean"]
    wrong = ~right(clean)
    for one in (half, single):
        np.testing.assert_array_equal(
            results[one.key].predictions.loss[wrong], clean.predictions.loss[wrong]
        )


class NoGradient(InputTransform):
    """Attacks that are told nothing of it fail: it has no gradient, and says so in no way."""

    def forward(self, images):
        if self.adaptive:
            return self.model(images)
        return self.model(images).detach()


def test_a_mode_that_fails_takes_no_other_with_it(split, monkeypatch):
    monkeypatch.setitem(DEFENCES, "detached", Defend(NoGradient))
    cells = {
        mode: cell(0.05, Search("full" if mode == "transfer" else "worst-case", mode),
                   defence="detached")
        for mode in ("adaptive", "oblivious", "transfer")
    }  # fmt: skip
    clean = Cell("clean", defence=DEFENCES["detached"], defence_key="detached")
    results = evaluate(network(), split, [clean, *cells.values()], device=CPU, seed=3)
    failure = results[cells["oblivious"].key]
    assert isinstance(failure, CellFailure)
    assert "the model is not differentiable" in str(failure.error)
    for key in ("clean", cells["adaptive"].key, cells["transfer"].key):
        assert isinstance(results[key], CellResult)
    alone = evaluate(network(), split, [cells["adaptive"]], device=CPU, seed=3)
    key = cells["adaptive"].key
    assert_same(alone[key], results[key])


def test_a_defence_that_only_looks_robust(split):
    """Rounding stops gradients, and nothing else."""
    epsilon = 0.1
    oblivious = cell(epsilon, Search("worst-case", "oblivious"), attack=PGD(steps=10),
                     defence="coarse")  # fmt: skip
    adaptive = cell(epsilon, attack=PGD(steps=10), defence="coarse")
    results = found(split, [oblivious, adaptive])
    looks, is_ = (right(results[one.key]).mean() for one in (oblivious, adaptive))
    assert looks > 0.8
    assert is_ < 0.2
    flags = {check.name for check in results[oblivious.key].checks if check.flagged}
    assert {"vanishing-gradients", "full-range"} <= flags
    assert not any(check.flagged for check in results[adaptive.key].checks)


@pytest.mark.parametrize("epsilon", [0.02, 0.05])
def test_no_luck_makes_a_random_defence_robust(split, epsilon):
    """Twenty verdicts while searching are no reason to stop: the score is no better for them."""
    attack = PGD(steps=20)
    worst, full = (
        cell(epsilon, Search(criterion), attack=attack, defence="noisy")
        for criterion in ("worst-case", "full")
    )
    results = found(split, [worst, full])
    robust = [right(results[one.key]).mean() for one in (worst, full)]
    assert robust[0] <= robust[1] + 0.05


class Counting(Attack):
    """Whole programs are called once for all epsilons, on random defences once for each."""

    def __init__(self, calls: list[int]) -> None:
        self.calls = calls

    def perturb(self, model, images, labels, epsilons, generator):
        self.calls.append(len(epsilons))
        noise = torch.rand(images.shape, generator=generator)
        model(images)
        return [(images + epsilon * noise).clamp(0, 1) for epsilon in epsilons]


def test_whole_programs_share_what_they_compute(split):
    for defence, expected in (("none", [3]), ("noisy", [1, 1, 1])):
        calls: list[int] = []
        attack = Counting(calls)
        cells = [
            cell(epsilon, Search("exact"), attack=attack, defence=defence) for epsilon in LADDER
        ]
        found(split, cells, batch_size=70)
        assert calls == expected

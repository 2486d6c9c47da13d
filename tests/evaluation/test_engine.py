"""The evaluation engine against hand calculations; failures stay where they belong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.evaluation.engine import evaluate
from hfcbench.frequency.components import Component
from hfcbench.types import ImageSplit, Predictions

CPU = torch.device("cpu")


class Brightness(nn.Module):
    """Two classes: the logit of the second is the mean pixel, that of the first one half."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([torch.full_like(mean, 0.5), mean], dim=1)


@dataclass(frozen=True)
class Shift:
    """Add epsilon to every pixel, with a random sign if asked."""

    random: bool = False
    factor: float = 1.0
    calls: list[tuple[float, ...]] | None = None

    def perturb(self, model, images, labels, epsilons, generator):
        if self.calls is not None:
            self.calls.append(tuple(epsilons))
        sign = torch.ones_like(images)
        if self.random:
            sign = torch.rand(images.shape, generator=generator).round() * 2 - 1
        return [(images + self.factor * eps * sign).clamp(0, 1) for eps in epsilons]


class Darker(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images * 0.5)


@dataclass(frozen=True)
class Darken:
    def defend(self, model):
        return Darker(model)


@dataclass(frozen=True)
class Halves:
    """The low part is a quarter of the image; counts how often images are split."""

    calls: list[int]
    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        self.calls.append(len(cutoffs))
        return [(images / cutoff, images - images / cutoff) for cutoff in cutoffs]


class Broken:
    def perturb(self, model, images, labels, epsilons, generator):
        raise RuntimeError("no gradient")

    def defend(self, model):
        raise RuntimeError("no such layer")


@pytest.fixture(scope="module")
def split() -> ImageSplit:
    generator = np.random.default_rng(0)
    pixels = generator.integers(60, 180, (70, 1, 1, 1)) + generator.integers(0, 60, (70, 3, 4, 4))
    return ImageSplit(pixels.astype(np.uint8), generator.integers(0, 2, 70))


def run(split: ImageSplit, *cells: Cell, **options) -> dict[str, Predictions | CellFailure]:
    return evaluate(Brightness(), split, cells, device=CPU, batch_size=32, **options)


def expected(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted class, confidence and probability of the second class."""
    mean = pixels.astype(np.float64).mean(axis=(1, 2, 3))
    second = 1 / (1 + np.exp(0.5 - mean))
    return (mean > 0.5).astype(int), np.maximum(second, 1 - second), second


def test_predictions_are_those_computed_by_hand(split):
    answer = run(split, Cell("clean"))["clean"]

    predicted, confidence, second = expected(split.images / 255)
    assert isinstance(answer, Predictions)
    np.testing.assert_array_equal(answer.predicted, predicted)
    np.testing.assert_allclose(answer.confidence, confidence, atol=1e-6)
    loss = -np.log(np.where(split.labels == 1, second, 1 - second))
    np.testing.assert_allclose(answer.loss, loss, atol=1e-6)
    np.testing.assert_array_equal(answer.labels, split.labels)
    assert 0 < predicted.mean() < 1


def test_attack_then_component_then_defence(split):
    cell = Cell(
        "all",
        component=Component(Halves([]), 0, 4.0),
        defence=Darken(),
        defence_key="darken",
        attack=Shift(),
        attack_key="shift",
        epsilon=0.1,
    )
    answer = run(split, cell)["all"]

    attacked = np.minimum(split.images / 255 + 0.1, 1)
    _, confidence, _ = expected(attacked / 4 * 0.5)
    assert isinstance(answer, Predictions)
    np.testing.assert_allclose(answer.confidence, confidence, atol=1e-6)


def test_images_are_split_once_per_batch_and_attacked_once_for_all_epsilons(split):
    splits: list[int] = []
    calls: list[tuple[float, ...]] = []
    decomposition, attack = Halves(splits), Shift(calls=calls)
    cells = [
        Cell(f"{part}{cutoff}{name}", Component(decomposition, part, cutoff), defence, name)
        for part in (0, 1)
        for cutoff in (2.0, 4.0)
        for defence, name in ((None, "none"), (Darken(), "darken"))
    ]
    cells += [
        Cell(f"attacked {epsilon}", attack=attack, attack_key="shift", epsilon=epsilon)
        for epsilon in (0.2, 0.1)
    ]
    batches: list[tuple[int, int]] = []
    run(split, *cells, on_batch=lambda done, total: batches.append((done, total)))

    assert splits == [2, 2, 2]
    assert calls == [(0.1, 0.2)] * 3
    assert batches == [(1, 3), (2, 3), (3, 3)]


def test_cells_do_not_depend_on_each_other(split):
    attack = Shift(random=True)
    cells = [
        Cell(f"{name} {epsilon}", defence=defence, defence_key=name, attack=attack,
             attack_key="shift", epsilon=epsilon)
        for defence, name in ((None, "none"), (Darken(), "darken"))
        for epsilon in (0.05, 0.1)
    ]  # fmt: skip
    together = run(split, Cell("clean"), *cells, seed=3)
    for cell in cells:
        alone = run(split, cell, seed=3)[cell.key]
        np.testing.assert_array_equal(alone.loss, together[cell.key].loss)
    other = run(split, *cells, seed=4)
    assert any((other[cell.key].loss != together[cell.key].loss).any() for cell in cells)


def test_cells_of_fewer_images_use_the_same_pass(split):
    splits: list[int] = []
    component = Component(Halves(splits), 0, 4.0)
    chosen = split.choice(25)
    answers = run(split, Cell("all"), Cell("some", samples=25), Cell("part", component, samples=25))

    assert len(splits) == 3
    for field in ("labels", "predicted", "confidence", "loss"):
        whole = getattr(answers["all"], field)
        np.testing.assert_array_equal(getattr(answers["some"], field), whole[chosen])
    assert len(answers["part"].labels) == 25


def test_a_failing_attack_or_defence_takes_only_its_own_cells(split):
    answers = run(
        split,
        Cell("clean"),
        Cell("attacked", attack=Broken(), attack_key="broken", epsilon=0.1),
        Cell("defended", defence=Broken(), defence_key="broken"),
        Cell("good", attack=Shift(), attack_key="shift", epsilon=0.1),
    )

    assert isinstance(answers["clean"], Predictions)
    assert isinstance(answers["good"], Predictions)
    assert isinstance(answers["attacked"], CellFailure)
    assert str(answers["attacked"].error) == "no gradient"
    assert "perturb" in answers["attacked"].traceback
    assert str(answers["defended"].error) == "no such layer"


class Returns:
    """An attack that returns whatever it is told to."""

    def __init__(self, change):
        self.change = change

    def perturb(self, model, images, labels, epsilons, generator):
        return self.change(images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: [images - 0.2], "moved a pixel by"),
        (lambda images: [images * 0 - 0.01], "left the pixel range"),
        (lambda images: [images * float("nan")], "not finite"),
        (lambda images: [images[:, :1]], "of shape"),
        (lambda images: [], "returned 0 batches for 1 epsilons"),
    ],
)
def test_attacks_that_break_their_promise_fail(split, change, message):
    answer = run(split, Cell("bad", attack=Returns(change), attack_key="bad", epsilon=0.1))["bad"]
    assert isinstance(answer, CellFailure)
    assert message in str(answer.error)


class Strange(nn.Module):
    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, images):
        return self.logits.expand(len(images), -1)


def test_logits_that_are_no_numbers_are_kept_as_such(split):
    model = Strange(torch.tensor([[float("nan"), 1.0]]))
    answer = evaluate(model, split, [Cell("clean")], device=CPU)["clean"]
    assert isinstance(answer, Predictions)
    assert np.isnan(answer.loss).all()
    assert (answer.predicted == 1).all()


def test_logits_of_too_few_classes_fail(split):
    answer = evaluate(Strange(torch.ones(1, 1)), split, [Cell("clean")], device=CPU)["clean"]
    assert isinstance(answer, CellFailure)
    assert "logits of shape" in str(answer.error)

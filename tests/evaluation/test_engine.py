"""The evaluation engine against hand calculations; failures stay where they belong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.attack_types import Attack
from hfcbench.evaluation import engine
from hfcbench.evaluation.cells import Cell, CellFailure, CellResult
from hfcbench.frequency.components import Component
from hfcbench.types import ImageSplit, Predictions

CPU = torch.device("cpu")


class Brightness(nn.Module):
    """Two classes: the logit of the second is the mean pixel, that of the first one half."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([torch.full_like(mean, 0.5), mean], dim=1)


@dataclass(frozen=True)
class Shift(Attack):
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


class Broken(Attack):
    def perturb(self, model, images, labels, epsilons, generator):
        raise RuntimeError("no gradient")

    def defend(self, model):
        raise RuntimeError("no such layer")


@pytest.fixture(scope="module")
def split() -> ImageSplit:
    generator = np.random.default_rng(0)
    pixels = generator.integers(60, 180, (70, 1, 1, 1)) + generator.integers(0, 60, (70, 3, 4, 4))
    return ImageSplit(pixels.astype(np.uint8), generator.integers(0, 2, 70))


def evaluate(*arguments, **options) -> dict[str, Predictions | CellFailure]:
    """What each cell answered, without its checks."""
    results = engine.evaluate(*arguments, **options)
    return {
        key: result.predictions if isinstance(result, CellResult) else result
        for key, result in results.items()
    }


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
    attack = Cell("attacked", attack=Shift(), attack_key="shift", epsilon=0.1, samples=25)
    some = [Cell("some", samples=25), Cell("part", component, samples=25), attack]
    answers = run(split, Cell("all"), *some)

    assert len(splits) == 3
    for field in ("labels", "predicted", "confidence", "loss"):
        whole = getattr(answers["all"], field)
        np.testing.assert_array_equal(getattr(answers["some"], field), whole[chosen])
    _, confidence, _ = expected(np.minimum(split.images[chosen] / 255 + 0.1, 1))
    np.testing.assert_allclose(answers["attacked"].confidence, confidence, atol=1e-6)
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


def test_bad_attacks_and_logits_are_named_and_take_only_their_own_cells(split):
    cells = (
        Cell("clean"),
        Cell("far", attack=Shift(factor=2), attack_key="far", epsilon=0.1),
        Cell("flat", defence=Flatten(), defence_key="flatten"),
        Cell("none", defence=Nothing(), defence_key="nothing"),
    )
    answers = run(split, *cells)
    assert isinstance(answers.pop("clean"), Predictions)
    messages = {key: str(answer.error) for key, answer in answers.items()}
    assert messages["far"].startswith("attack 'far' at epsilon 0.1 moved a pixel by 0.2")
    assert messages["flat"].startswith("the model with defence 'flatten' returned logits of shape")
    assert messages["none"] == "defence 'nothing' returned NoneType, which is no model"


def test_an_attack_needs_an_epsilon():
    with pytest.raises(ValueError, match="attack 'shift' was given no epsilon"):
        Cell("no epsilon", attack=Shift(), attack_key="shift")


@dataclass(frozen=True)
class Flatten:
    def defend(self, model):
        return nn.Flatten()


@dataclass(frozen=True)
class Nothing:
    def defend(self, model):
        return None


class Unsplittable(Halves):
    def split(self, images, cutoffs):
        raise RuntimeError("cannot split")


def test_a_failing_decomposition_takes_only_its_own_cells(split):
    good, bad = Component(Halves([]), 0, 2.0), Component(Unsplittable([]), 0, 2.0)
    answers = run(split, Cell("clean"), Cell("bad", bad), Cell("good", good))
    assert str(answers["bad"].error) == "cannot split"
    assert isinstance(answers["good"], Predictions)
    assert isinstance(answers["clean"], Predictions)


class FailsLater(nn.Module):
    """Answers one image and two batches."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        return images.mean(dim=(2, 3)) if self.calls < 4 else images


def test_a_failure_in_a_later_batch_is_no_half_result(split):
    answer = evaluate(FailsLater(), split, [Cell("clean")], device=CPU, batch_size=32)["clean"]
    assert isinstance(answer, CellFailure)


@dataclass(frozen=True)
class InPlace:
    """Changes the model that it is given, which it must not."""

    def defend(self, model):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        return model


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2)
    )


def test_a_defence_that_changes_its_model_spoils_no_other_cell(split):
    model = network()
    clean = Cell("clean")
    before = evaluate(model, split, [clean], device=CPU)["clean"]
    cells = [Cell("zero", defence=InPlace(), defence_key="zero"), clean]
    answers = evaluate(model, split, cells, device=CPU)
    np.testing.assert_array_equal(answers["clean"].loss, before.loss)
    np.testing.assert_allclose(answers["zero"].loss, np.log(2), atol=1e-6)


def test_each_cell_alone_gives_the_same_bits_as_all_together(split):
    quarters = [Component(Halves([]), part, cutoff) for part in (0, 1) for cutoff in (3.3, 7.0)]
    cells = [
        Cell(f"{name} {number} {epsilon}", component, defence, name, attack, "shift", epsilon)
        for number, component in enumerate([Component(), *quarters])
        for defence, name in ((None, "none"), (Darken(), "darken"))
        for attack, epsilon in ((None, None), (Shift(random=True), 0.1), (Shift(random=True), 0.2))
    ]
    model = network()
    together = evaluate(model, split, cells, device=CPU, seed=5, batch_size=32)
    assert len({answer.loss.tobytes() for answer in together.values()}) == len(cells) == 30
    for cell in cells:
        alone = evaluate(model, split, [cell], device=CPU, seed=5, batch_size=32)[cell.key]
        for name in ("labels", "predicted", "confidence", "loss"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together[cell.key], name))


def test_components_one_cutoff_at_a_time_give_the_same_bits(split, monkeypatch):
    splits: list[int] = []
    cells = [
        Cell(f"{part} {cutoff}", Component(Halves(splits), part, cutoff))
        for part in (0, 1)
        for cutoff in (2.0, 3.0, 4.0)
    ]
    together = run(split, *cells)
    monkeypatch.setattr("hfcbench.evaluation.batching._COMPONENT_BYTES", 0)
    apart = run(split, *cells)
    assert splits == [3] * 3 + [1] * 9
    for cell in cells:
        np.testing.assert_array_equal(apart[cell.key].loss, together[cell.key].loss)


def test_a_read_only_memory_map_will_do(split, tmp_path):
    np.save(tmp_path / "images.npy", split.images)
    mapped = ImageSplit(np.load(tmp_path / "images.npy", mmap_mode="r"), split.labels)
    assert not mapped.images.flags.writeable
    answers = [run(images, Cell("clean"))["clean"] for images in (split, mapped)]
    np.testing.assert_array_equal(answers[0].loss, answers[1].loss)


def test_the_model_is_left_as_it_was_but_in_evaluation_mode(split):
    model = network().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluate(model, split, [Cell("clean")], device=CPU)
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_of_too_few_classes_fails(split):
    answer = evaluate(Strange(torch.ones(1, 1)), split, [Cell("clean")], device=CPU)["clean"]
    assert isinstance(answer, CellFailure)
    assert str(answer.error) == "the model tells 1 classes apart, but there are labels up to 1"


def test_no_images_give_no_predictions(split):
    nothing = ImageSplit(split.images[:0], split.labels[:0])
    assert len(run(nothing, Cell("clean"))["clean"].labels) == 0


def test_equal_keys_are_refused(split):
    with pytest.raises(ValueError, match="distinct keys"):
        run(split, Cell("one"), Cell("one", Component(Halves([]), 0, 2.0)))


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
    assert np.isnan(answer.confidence).all()
    assert (answer.predicted == -1).all()

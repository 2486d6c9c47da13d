"""The search for the worst case, against models whose worst case is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.worst_case import WorstCase, worst_cases
from hfcbench.attack_types import Attack
from hfcbench.attacks.mi_fgsm import MIFGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.defence_modules import RandomAnswers
from hfcbench.errors import NodeError

N, SHAPE = 40, (3, 4, 5)


class Counting(nn.Module):
    """A model that notes the sizes of its batches, with and without gradients."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.sizes: list[int] = []

    def forward(self, images):
        self.sizes.append(len(images))
        return self.model(images)


class Margin(nn.Module):
    """Two classes with logits 0 and the margin that a function of the images leaves class 1."""

    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, images):
        margin = self.margin(images)
        return torch.stack([torch.zeros_like(margin), margin], 1)


def pixels(*values: float) -> torch.Tensor:
    """Images of one pixel each."""
    return torch.tensor(values).view(-1, 1, 1, 1)


def ones(images: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(images), dtype=torch.int64)


def search(attack, model, images, labels, epsilons, *, seed=0, climbed=None) -> list[WorstCase]:
    generator = torch.Generator().manual_seed(seed)
    return list(
        worst_cases(
            attack, "tested", model.eval(), images, labels, epsilons, generator, climbed=climbed
        )
    )


class Linear:
    """A linear model with its exact distances to the decision, in float64.

    Images are of both classes, and some are wrong already.
    """

    def __init__(self, norm: str, seed: int):
        generator = torch.Generator().manual_seed(seed)
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(SHAPE)), 2))
        nn.init.normal_(self.model[1].weight, generator=generator)
        self.images = torch.rand(N, *SHAPE, generator=generator)
        if norm == "l2":
            # Far from the limits of pixels, where the nearest point is the foot of the normal.
            self.images = 0.4 + 0.2 * self.images
        weight = (self.model[1].weight[1] - self.model[1].weight[0]).detach().double().numpy()
        pixels = self.images.double().flatten(1).numpy()
        with torch.no_grad():
            self.model[1].bias.copy_(torch.tensor([np.median(pixels @ weight), 0.0]))
        bias = (self.model[1].bias[1] - self.model[1].bias[0]).item()
        score = pixels @ weight + bias
        correct = np.random.default_rng(seed).random(N) < 0.85
        self.labels = torch.from_numpy((score > 0) == correct).long()
        sign = np.where(self.labels.numpy() == 1, 1, -1)
        self.thresholds = np.array(
            [
                self._threshold(norm, margin, against, row)
                for margin, against, row in zip(
                    sign * score, -sign[:, None] * weight, pixels, strict=True
                )
            ]
        )

    @staticmethod
    def _threshold(norm: str, margin: float, weight: np.ndarray, pixels: np.ndarray) -> float:
        """The epsilon beyond which an image is wrong: -inf when clean, inf if none is enough."""
        if margin <= 0:
            return -np.inf
        if norm == "l2":
            return margin / np.linalg.norm(weight)
        # Each pixel moves by epsilon, or as far as it can: a piecewise linear function to invert.
        room = np.where(weight > 0, 1 - pixels, pixels)
        low, high = 0.0, 1.0
        if np.abs(weight) @ room < margin:
            return np.inf
        for _ in range(60):
            middle = (low + high) / 2
            reached = np.abs(weight) @ np.minimum(room, middle) >= margin
            low, high = (low, middle) if reached else (middle, high)
        return high

    def ladder(self, steps: int) -> list[float]:
        """Epsilons between the thresholds, none of them within rounding of one."""
        known = np.unique(self.thresholds[np.isfinite(self.thresholds)])
        gaps = (known[1:] + known[:-1]) / 2
        gaps = gaps[np.diff(known) > 1e-3 * gaps]
        return [float(gap) for gap in gaps[:: max(1, len(gaps) // steps)]]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(
    "parameters", [{}, {"random_start": True, "restarts": 2, "step_share": 0.3}], ids=str
)
@pytest.mark.parametrize("fast", [False, True])
def test_a_linear_model_breaks_exactly_where_it_must(seed, norm, parameters, fast):
    known = Linear(norm, seed)
    epsilons = known.ladder(6)
    attack = PGD(steps=25, norm=norm, **parameters)
    climbed = FastModel(known.model.eval(), known.images[:2]) if fast else None
    found = search(attack, known.model, known.images, known.labels, epsilons, climbed=climbed)

    counts = set()
    for epsilon, worst in zip(epsilons, found, strict=True):
        expected = known.thresholds < epsilon
        np.testing.assert_array_equal(worst.broken.numpy(), expected)
        counts.add(int(expected.sum()))
        assert worst.verdicts_changed == 0
        _check_images(known, worst, epsilon, norm)
    assert len(counts) > 3


def _check_images(known: Linear, worst: WorstCase, epsilon: float, norm: str) -> None:
    """Broken images are wrong, the others right; all lie in the ball."""
    with torch.no_grad():
        wrong = known.model(worst.images).argmax(1) != known.labels
    assert torch.equal(wrong, worst.broken)
    changes = (worst.images.double() - known.images.double()).flatten(1).numpy()
    order = np.inf if norm == "linf" else 2
    assert np.linalg.norm(changes, ord=order, axis=1).max() <= epsilon + 1e-6
    assert (changes[known.thresholds < 0] == 0).all()


def test_what_is_broken_stays_broken():
    """A model that is wrong in a gap only: a larger step would jump over it."""
    model = Margin(lambda images: (images.flatten(1).sum(1) - 0.55).abs() - 0.02)
    attack = PGD(steps=1, step_share=1.0)
    images = pixels(0.5)
    small, large = search(attack, model, images, ones(images), [0.05, 0.3])
    (alone,) = search(attack, model, images, ones(images), [0.3])
    assert (bool(small.broken), bool(large.broken), bool(alone.broken)) == (True, True, False)
    assert torch.equal(large.images, small.images)


def test_images_leave_as_soon_as_they_are_broken():
    # A step is 0.01, and the margin of each image is what it must lose: after 2, 4 and 6 steps
    # it is wrong; the last but one is wrong when clean; the last one never breaks.
    model = Counting(Margin(lambda images: images.flatten(1).sum(1) - 0.3))
    images = pixels(0.315, 0.335, 0.355, 0.2, 0.9)
    attack = PGD(steps=8, step_share=0.1)
    first, second = search(attack, model, images, ones(images), [0.1, 0.2])

    clean, verdict = [5], [4]
    gradients = [4, 4, 4, 3, 3, 2, 2, 1]
    last = [1]
    # At 0.2 only one image is left; its eight steps end without success.
    again = [1] * 8
    assert model.sizes == [*clean, *gradients, *last, *verdict, *again, *last, 1]
    assert first.broken.tolist() == second.broken.tolist() == [True, True, True, True, False]
    expected = [0.295, 0.295, 0.295, 0.2, 0.82]
    torch.testing.assert_close(first.images.flatten(), torch.tensor(expected))
    expected[-1] = 0.9 - 8 * 0.02
    torch.testing.assert_close(second.images.flatten(), torch.tensor(expected))


class Wavering(RandomAnswers):
    """Surely right in its own answers; while it is attacked, its single draw is wrong."""

    def draw(self, images):
        right = 0.1 if images.requires_grad else 0.9
        probability = right + 0 * self.model(images)[:, 1]
        return torch.stack([1 - probability, probability], 1)


def test_random_models_are_judged_by_their_own_answers_after_every_step():
    counting = Counting(Margin(lambda images: images.flatten(1).sum(1)))
    model = Wavering(counting, draws=3, attack_draws=1)
    sizes = model.model.sizes
    images = pixels(0.4, 0.6)
    (found,) = search(PGD(steps=5), model, images, ones(images), [0.1])
    assert found.broken.tolist() == [False, False]
    # One draw for each gradient, and three for the verdict.
    assert sizes == [2] * (5 + 3)


def test_nothing_is_searched_where_all_is_wrong_already():
    model = Counting(Margin(lambda images: images.flatten(1).sum(1) - 2))
    images = pixels(0.1, 0.5)
    found = search(PGD(), model, images, ones(images), [0.1, 0.2, 0.3])
    assert model.sizes == [2]
    assert all(bool(worst.broken.all()) for worst in found)
    assert all(torch.equal(worst.images, images) for worst in found)


def needs_restarts(images: torch.Tensor) -> torch.Tensor:
    """Flat around 0.5, so that no gradient leads away; wrong beyond 0.56."""
    return 0.1 - 2.5 * (images.flatten(1).sum(1) - 0.52).relu()


def test_restarts_help_a_model_that_needs_them():
    images = pixels(*[0.5] * 60)
    model = Margin(needs_restarts)
    broken = {}
    for restarts in (1, 2, 10):
        attack = PGD(steps=8, step_share=0.2, restarts=restarts)
        (worst,) = search(attack, model, images, ones(images), [0.1])
        broken[restarts] = worst.broken
    assert not broken[1].any()
    # A random start lies beyond 0.52 with probability 0.4.
    assert 12 < broken[2].sum() < 36
    assert broken[10].sum() > 55
    assert broken[10][broken[2]].all()


def test_a_later_try_is_only_for_what_is_left():
    model = Counting(Margin(needs_restarts))
    images = pixels(*[0.5] * 60)
    attack = PGD(steps=1, step_share=1.0, restarts=2)
    search(attack, model, images, ones(images), [0.1])
    # Clean; a step from the image and its end, a step from random points and its end, verdicts.
    started_wrong = model.sizes[3] - model.sizes[4]
    assert model.sizes == [60, 60, 60, 60, 60 - started_wrong, 60]
    assert 0 < started_wrong < 60


@pytest.mark.parametrize("restarts", [1, 3])
def test_random_starts_do_not_depend_on_what_is_broken(restarts):
    def model(threshold: float) -> nn.Module:
        return Margin(lambda images: images.flatten(1).sum(1) - threshold)

    attack = PGD(steps=1, step_share=0.1, random_start=True, restarts=restarts)
    images = pixels(0.1, 0.25, 0.8, 0.9)
    # Nothing, one and two of the images are wrong when clean; the third falls in the first try.
    ends = [
        search(attack, model(threshold), images, ones(images), [0.1])[0].images
        for threshold in (-1.0, 0.15, 0.3)
    ]
    for end in ends[1:]:
        assert torch.equal(end[2:], ends[0][2:])
    assert not torch.equal(ends[0][2] - 0.8, ends[0][3] - 0.9)


def test_an_epsilon_draws_the_same_whatever_was_searched_before():
    model = Margin(lambda images: images.flatten(1).sum(1) + 1)
    attack = PGD(steps=1, random_start=True)
    images = pixels(0.4, 0.5, 0.6)
    _, among = search(attack, model, images, ones(images), [0.1, 0.2])
    (alone,) = search(attack, model, images, ones(images), [0.2])
    assert torch.equal(among.images, alone.images)


def total(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1).sum(1)


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        # What the stand-in takes for wrong at once is whole: all four are searched again.
        (-5.0, [4, 1]),
        # What it takes for right after the last step is wrong.
        (5.0, [3, 0]),
    ],
)
def test_the_model_has_the_last_word_where_a_stand_in_lies(claim, changed):
    images = pixels(0.315, 0.335, 0.355, 0.2, 0.9)
    model = Counting(Margin(lambda images: total(images) - 0.3))
    # The gradients of the model, and always the same answer.
    liar = Margin(lambda images: total(images) - total(images).detach() + claim).eval()
    attack = PGD(steps=8, step_share=0.2)
    found = search(attack, model, images, ones(images), [0.1, 0.2], climbed=liar)

    assert [worst.verdicts_changed for worst in found] == changed
    for epsilon, worst in zip([0.1, 0.2], found, strict=True):
        assert worst.broken.tolist() == [True, True, True, True, False]
        torch.testing.assert_close(worst.images[4].flatten(), torch.tensor([0.9 - epsilon]))
        assert (total(worst.images)[:4] <= 0.3).all()
    # The true model's batches: clean and verdicts, and where it had to search itself also these.
    if claim > 0:
        assert model.sizes == [5, 4, 1]
    else:
        first = [4, 4, 3, 2, 1, 1, 1, 1]
        assert model.sizes == [5, 4, *first, 1, 4, 1, *[1] * 8, 1, 1]


def test_answers_that_are_not_numbers_are_wrong():
    def margin(images):
        total = images.flatten(1).sum(1)
        return torch.where(total > 0.7, torch.nan, 1 - total)

    images = pixels(0.9, 0.65, 0.3)
    (worst,) = search(PGD(steps=10), Margin(margin), images, ones(images), [0.1])
    assert worst.broken.tolist() == [True, True, False]
    assert worst.images.isfinite().all()
    assert worst.images[0] == images[0]
    assert 0.7 < worst.images[1] <= 0.75


@pytest.mark.parametrize(
    "attack",
    [PGD(steps=5), PGD(steps=5, norm="l2", random_start=True, restarts=3), MIFGSM(steps=5)],
    ids=str,
)
def test_a_robust_model_stays_robust(attack):
    """The margin is 2 at least, whatever the image, but the gradient never vanishes."""
    torch.manual_seed(0)
    weight = torch.randn(SHAPE)
    model = Counting(Margin(lambda images: 3 + torch.tanh((images * weight).flatten(1).sum(1))))
    images = torch.rand(6, *SHAPE)
    found = search(attack, model, images, ones(images), [0.03, 0.3, 2.0])
    assert not any(bool(worst.broken.any()) for worst in found)
    assert all(worst.verdicts_changed == 0 for worst in found)
    # Of each epsilon: steps and end of every try, and the verdict.
    assert model.sizes == [6] + 3 * (attack.restarts * [6] * 6 + [6])
    assert not any(torch.equal(worst.images, images) for worst in found)


def test_memory_stays_with_its_image_when_others_leave():
    """One image's gradients change their sign on the way, so that its memory matters."""
    torch.manual_seed(0)
    weight = torch.randn(SHAPE) * 3

    def margin(images):
        return 0.56 + torch.sin(4 * (images * weight).flatten(1)).mean(1)

    images = torch.rand(30, *SHAPE)
    attack = MIFGSM(steps=10)
    (together,) = search(attack, Margin(margin), images, ones(images), [0.15])
    assert 5 < together.broken.sum() < 28
    for position in range(30):
        (alone,) = search(attack, Margin(margin), images[position, None], torch.tensor([1]), [0.15])
        assert torch.equal(alone.broken[0], together.broken[position])
        torch.testing.assert_close(alone.images[0], together.images[position], rtol=0, atol=1e-6)


class Given(Attack):
    """An attack without steps, which notes what it is given."""

    def __init__(self, change):
        self.change = change
        self.sizes = []

    def perturb(self, model, images, labels, epsilons, generator):
        self.sizes.append(len(images))
        return [(images - self.change * epsilon).clamp(0, 1) for epsilon in epsilons]


def test_any_attack_gets_only_what_is_not_broken():
    model = Margin(lambda images: images.flatten(1).sum(1) - 0.3)
    images = pixels(0.1, 0.35, 0.45, 0.9)
    attack = Given(1.0)
    found = search(attack, model, images, ones(images), [0.1, 0.2, 0.3])
    assert attack.sizes == [3, 2, 1]
    assert [int(worst.broken.sum()) for worst in found] == [2, 3, 3]


def test_any_attack_is_held_to_its_promises():
    model = Margin(lambda images: images.flatten(1).sum(1) - 0.3)
    images = pixels(0.5, 0.6)
    with pytest.raises(NodeError, match=r"attack 'tested' at epsilon 0\.1 moved a pixel by 0\.2"):
        search(Given(2.0), model, images, ones(images), [0.1])


def test_what_was_found_does_not_change_later():
    model = Margin(lambda images: images.flatten(1).sum(1) - 0.3)
    images = pixels(0.35, 0.45)
    generator = torch.Generator()
    search = worst_cases(PGD(), "tested", model.eval(), images, ones(images), [0.1, 0.2], generator)
    first = next(search)
    before = first.images.clone(), first.broken.clone()
    next(search)
    assert torch.equal(first.images, before[0])
    assert torch.equal(first.broken, before[1])
    assert torch.equal(images, pixels(0.35, 0.45))

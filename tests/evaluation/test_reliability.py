"""Checks of robust scores, on models whose robustness is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.adversarial.reliability import merged
from hfcbench.attack_types import Attack, Search, SteppedAttack
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.defence_modules import InputTransform, RandomAnswers
from hfcbench.evaluation.cells import Cell, CellResult
from hfcbench.evaluation.engine import evaluate
from hfcbench.reliability_checks import Check
from hfcbench.types import ImageSplit

SIZE = 16
WORST = Search("worst-case")
OBLIVIOUS = Search("worst-case", "oblivious")
TRANSFER = Search("full", "transfer")


class Brightness(nn.Module):
    """Right about an image as long as its mean stays on its side of one half."""

    def __init__(self, steepness: float = 20.0) -> None:
        super().__init__()
        self.steepness = steepness

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return self.steepness * torch.stack([0.5 - mean, mean - 0.5], dim=1)


class Behind(nn.Module):
    """A model behind a function of its input."""

    def __init__(self, model: nn.Module, change) -> None:
        super().__init__()
        self.model, self.change = model, change

    def forward(self, images):
        return self.model(self.change(images))


class RandomGradient(torch.autograd.Function):
    @staticmethod
    def forward(context, images):
        return images.clone()

    @staticmethod
    def backward(context, gradient):
        return torch.randn_like(gradient)


class Noisy(nn.Module):
    """Random answers that nobody declares; too little noise to change a class."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images):
        logits = self.model(images)
        return logits + 0.001 * torch.randn_like(logits)


class Rounded(InputTransform):
    """Two levels: above one half an image is white."""

    def transform(self, images):
        return (images > 0.5).to(images.dtype)


class Jittered(RandomAnswers):
    def draw(self, images):
        noise = 0.02 * torch.randn(len(images), 1, 1, 1)
        return self.model(images + noise).softmax(1)


@dataclass(frozen=True)
class Defend:
    """Any module as a defence."""

    make: object

    def defend(self, model):
        return self.make(model).eval()


@dataclass(frozen=True)
class Darken(Attack):
    """Sees no gradient: moves every pixel towards the other side of one half."""

    needs_gradients = False

    def perturb(self, model, images, labels, epsilons, generator):
        sign = torch.where(labels == 1, -1.0, 1.0).view(-1, 1, 1, 1)
        return [(images + epsilon * sign).clamp(0, 1) for epsilon in epsilons]


def split_of(distances) -> ImageSplit:
    """Images of one colour, right on either side of one half, at these distances from it."""
    n = len(distances)
    labels = np.arange(n) % 2
    means = 0.5 + np.where(labels == 1, distances, np.negative(distances))
    pixels = np.round(255 * means).astype(np.uint8)
    return ImageSplit(
        np.broadcast_to(pixels[:, None, None, None], (n, 3, SIZE, SIZE)).copy(), labels
    )


EVEN = split_of(np.linspace(0.01, 0.2, 80))
"""Distances from 0.01 to 0.2, each half a level from a whole one."""

EPSILON = 25 / 255
SOUND = PGD(steps=20, step_share=0.1)


def far(distance: float = EPSILON, images: int = 80) -> float:
    """The share of these images that are further from one half."""
    return float(np.mean(np.abs(EVEN.images[:images, 0, 0, 0] / 255 - 0.5) > distance))


def checks(
    model: nn.Module,
    attack: Attack,
    epsilon: float = EPSILON,
    search: Search = WORST,
    *,
    split: ImageSplit = EVEN,
    defence=None,
    samples: int | None = None,
    batch_size: int | None = None,
) -> tuple[dict[str, Check], float]:
    """The checks by name, and the accuracy."""
    cell = Cell(
        "it",
        defence=None if defence is None else Defend(defence),
        defence_key="none" if defence is None else "defence",
        attack=attack,
        attack_key="attack",
        epsilon=epsilon,
        samples=samples,
        search=search,
    )
    found = evaluate(
        model, split, [cell], device=torch.device("cpu"), seed=1, batch_size=batch_size
    )["it"]
    assert isinstance(found, CellResult), found.traceback
    answers = found.predictions
    return {check.name: check for check in found.checks}, float(
        (answers.predicted == answers.labels).mean()
    )


def flagged(found: dict[str, Check]) -> set[str]:
    return {name for name, check in found.items() if check.flagged}


def test_a_sound_setting_has_every_check_and_no_flag():
    found, accuracy = checks(Brightness(), SOUND)
    assert set(found) == {
        *("random-answers", "vanishing-gradients", "full-range", "more-steps", "verdicts-changed")
    }
    assert flagged(found) == set()
    assert accuracy == far()
    assert found["full-range"].value == 0
    assert {check.n for name, check in found.items() if name != "verdicts-changed"} == {50}
    assert found["verdicts-changed"].n == 80


def test_a_model_that_is_robust_by_construction_is_not_flagged():
    found, accuracy = checks(Brightness(), SOUND, split=split_of([0.3] * 60))
    assert accuracy == 1
    assert flagged(found) == set()


def test_logits_so_steep_that_gradients_underflow():
    found, accuracy = checks(Brightness(1e4), SOUND)
    assert {"vanishing-gradients", "full-range"} <= flagged(found)
    # All but those within 0.01 of one half, where the steep loss still has a gradient.
    assert found["vanishing-gradients"].value > 0.9
    # The same model, the same answers: so much is not robust.
    _, honest = checks(Brightness(), SOUND)
    assert accuracy > 0.9 > 0.6 > honest


def test_a_gradient_that_is_zero_is_flagged_and_one_that_is_passed_on_is_not():
    oblivious, robust = checks(Brightness(), SOUND, search=OBLIVIOUS, defence=Rounded)
    assert {"vanishing-gradients", "full-range"} <= flagged(oblivious)
    assert oblivious["vanishing-gradients"].value == 1
    assert oblivious["full-range"].value == robust == 1
    # With two levels, any image whose pixels cross one half is broken.
    adaptive, accuracy = checks(Brightness(5.0), SOUND, defence=Rounded)
    assert flagged(adaptive) == set()
    assert accuracy == far()


def test_a_random_gradient_is_known_by_the_whole_range():
    def hidden(model):
        return Behind(model, RandomGradient.apply)

    found, accuracy = checks(Brightness(), SOUND, 0.02, defence=hidden)
    assert flagged(found) == {"full-range"}
    assert found["full-range"].value > 0.8
    assert accuracy > 0.9


@pytest.mark.parametrize(
    ("defence", "search", "expected"),
    [
        (Noisy, WORST, True),
        (Noisy, OBLIVIOUS, True),
        (lambda model: Jittered(model, 8, 8), WORST, False),
        (lambda model: Jittered(model, 8, 8), OBLIVIOUS, True),
        # It says that it draws, and gradients are of one draw all the same.
        (lambda model: Jittered(model, 8, 1), WORST, True),
        # Attacked is the undefended model, whose answers are not random.
        (lambda model: Jittered(model, 8, 8), TRANSFER, False),
    ],
)
def test_random_answers(defence, search, expected):
    found, _ = checks(Brightness(), SOUND, search=search, defence=defence)
    assert ("random-answers" in flagged(found)) is expected
    assert found["random-answers"].value == (0 if search is TRANSFER else 1)


def test_an_averaged_random_defence_has_no_flag_at_all():
    found, accuracy = checks(
        Brightness(), SOUND, defence=lambda model: Jittered(model, 32, 32), samples=60
    )
    assert flagged(found) == set()
    assert "more-steps" not in found
    assert accuracy < 0.7


def test_too_few_steps_to_reach_the_edge_of_the_ball():
    found, accuracy = checks(Brightness(), PGD(steps=3, step_share=0.1))
    assert flagged(found) == {"more-steps"}
    assert accuracy == far(0.3 * EPSILON)
    # Six steps reach 0.6 epsilon, on average as far from a random start as from the image.
    gained = far(0.3 * EPSILON, 50) - far(0.6 * EPSILON, 50)
    assert found["more-steps"].value == pytest.approx(gained, abs=0.1)


def test_a_single_image_more_is_no_sign():
    # Three steps break all but one image that six break, of ten; then all but two.
    for near, expected in ((1, False), (2, True)):
        split = split_of([0.045] * near + [0.25] * (10 - near))
        found, accuracy = checks(Brightness(), PGD(steps=3, step_share=0.1), split=split)
        assert accuracy == 1
        assert found["more-steps"].value == near / 10
        assert found["more-steps"].flagged is expected


@dataclass(frozen=True)
class Bare(SteppedAttack):
    """Leaves restarts and starts to the class that it extends."""

    steps: int = 3

    def move(self, gradient, ball, memory):
        return 0.1 * ball.epsilon * gradient.sign(), None


def test_an_attack_may_have_no_more_than_steps():
    found, accuracy = checks(Brightness(), Bare())
    assert accuracy == far(0.3 * EPSILON)
    assert flagged(found) == {"more-steps"}


@pytest.mark.parametrize("batch_size", [8, 32, 500])
def test_the_same_images_are_looked_at_in_any_batches(batch_size):
    attack = PGD(steps=3, step_share=0.1)
    found, _ = checks(Brightness(), attack, batch_size=batch_size)
    assert {name: check.n for name, check in found.items()} == {
        **dict.fromkeys(("random-answers", "vanishing-gradients", "full-range", "more-steps"), 50),
        "verdicts-changed": 80,
    }
    whole, _ = checks(Brightness(), attack)
    assert {name: check.threshold for name, check in found.items()} == {
        name: check.threshold for name, check in whole.items()
    }


def test_images_are_counted_among_those_that_are_attacked():
    """Of 80 images 20 are attacked, some in each batch: all of those are looked at."""
    found, _ = checks(Brightness(), SOUND, samples=20, batch_size=16)
    assert {check.n for check in found.values()} == {20}
    # Chance for two classes, and two standard errors of it over 20 images.
    assert found["full-range"].threshold == pytest.approx(0.5 + 2 * 0.5 / math.sqrt(20))


def test_what_is_attacked_in_transfer_is_not_what_is_judged():
    """Every image of the undefended model breaks, none of the defended one, which sees nothing."""

    class Blind(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, images):
            # Which class it is stands in one pixel that is far from one half.
            return 20 * torch.stack([0.5 - images[:, 0, 0, 0], images[:, 0, 0, 0] - 0.5], dim=1)

    images = split_of([0.02] * 60).images.copy()
    labels = np.arange(60) % 2
    images[:, 0, 0, 0] = 255 * labels
    split = ImageSplit(images, labels)
    found, accuracy = checks(Brightness(), SOUND, 0.1, TRANSFER, split=split, defence=Blind)
    assert accuracy == 1
    assert found["more-steps"].value == 0
    assert flagged(found) == set()
    # And where more steps do help, it is the defended model that says so.
    weak = PGD(steps=1, step_share=0.1)
    again, _ = checks(Brightness(), weak, 0.2, TRANSFER, defence=lambda model: Brightness(5.0))
    assert "more-steps" in flagged(again)


def test_attacks_without_gradients_or_steps_have_fewer_checks():
    found, _ = checks(Brightness(), Darken())
    assert set(found) == {"random-answers", "verdicts-changed"}
    found, _ = checks(Brightness(), Darken(), defence=lambda model: Jittered(model, 8, 1))
    assert flagged(found) == set()
    found, _ = checks(Brightness(), FGSM(), search=Search("exact"))
    assert set(found) == {"random-answers", "vanishing-gradients", "verdicts-changed"}


def test_an_attack_without_gradients_goes_through_what_hides_them():
    """What the leaderboard compares: a masked score far above that of a plain attack."""
    masked, robust = checks(Brightness(), SOUND, search=OBLIVIOUS, defence=Rounded)
    assert masked["full-range"].flagged
    _, accuracy = checks(Brightness(), Darken(), search=OBLIVIOUS, defence=Rounded)
    assert accuracy == far()
    assert robust == 1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_whole_range_of_each_norm_holds_every_image(norm):
    radius = EPSILON if norm == "linf" else EPSILON * math.sqrt(3 * SIZE * SIZE)
    attack = PGD(steps=20, step_share=0.1, norm=norm)
    found, accuracy = checks(Brightness(), attack, radius)
    assert flagged(found) == set()
    assert found["full-range"].value == 0
    assert accuracy == far()


def test_checks_of_batches_are_means_over_images():
    batches = [
        {"one": Check("one", 0.5, 0.2, 10), "two": Check("two", 1.0, math.inf, 5)},
        {"one": Check("one", 0.0, 0.2, 40)},
    ]
    found = merged(batches)
    assert found["one"] == Check("one", 0.1, 0.2, 50)
    assert not found["one"].flagged
    assert found["two"] == batches[0]["two"]
    assert not found["two"].flagged
    assert merged([]) == {}

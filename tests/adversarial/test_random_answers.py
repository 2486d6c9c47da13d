"""The worst case of random answers: bad luck is no broken image."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from hfcbench.adversarial.worst_case import worst_cases
from hfcbench.attack_types import Attack
from hfcbench.attacks.pgd import PGD
from hfcbench.defence_modules import RandomAnswers


class Brightness(nn.Module):
    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return 20 * torch.stack([0.5 - mean, mean - 0.5], dim=1)


class Shaken(RandomAnswers):
    """The mean of an image, give or take so much."""

    def __init__(self, model: nn.Module, by: float, draws: int = 1) -> None:
        super().__init__(model, draws, 4)
        self.by = by

    def draw(self, images):
        shift = self.by * torch.randn(len(images), 1, 1, 1)
        return self.model(images + shift).softmax(1)


@dataclass(frozen=True)
class Darken(Attack):
    """A whole program that darkens by epsilon, and notes how many images it gets."""

    calls: list[int]

    def perturb(self, model, images, labels, epsilons, generator):
        self.calls.append(len(images))
        return [images - epsilon for epsilon in epsilons]


def grey(*means: float) -> torch.Tensor:
    return torch.tensor(means).view(-1, 1, 1, 1).expand(-1, 3, 4, 4).clone()


def search(attack, model, images, epsilons, seed=0, climbed=None):
    """Search among images of class 1."""
    labels = torch.ones(len(images), dtype=torch.int64)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    given = (attack, "it", model.eval(), images, labels, epsilons, generator)
    return list(worst_cases(*given, climbed=climbed))


def test_an_unlucky_answer_does_not_end_the_search():
    """One answer in twelve is wrong by luck; what a step finds is wrong in half of all cases."""
    images = grey(*[0.58] * 200)
    (found,) = search(PGD(steps=20), Shaken(Brightness(), 0.058), images, [0.08])
    # All of the way for all of them, however many of twenty answers were wrong before.
    torch.testing.assert_close(found.images, images - 0.08)
    assert 0.35 < found.broken.float().mean() < 0.65
    assert found.verdicts_changed == 0


def test_an_image_that_was_wrong_when_clean_is_attacked_too():
    images = grey(0.55, 0.58, 0.9)
    calls: list[int] = []
    results = search(Darken(calls), Shaken(Brightness(), 0.1), images, [0.1, 0.2], seed=3)
    for result, epsilon in zip(results, (0.1, 0.2), strict=True):
        torch.testing.assert_close(result.images, images - epsilon)
    assert calls == [3, 3]


def test_answers_that_only_could_be_random_are_believed_as_little():
    """Whether it draws at all is not looked at: it says that its answers are random."""
    (found,) = search(PGD(steps=20), Shaken(Brightness(), 0.0), grey(0.55, 0.7), [0.1])
    torch.testing.assert_close(found.images, grey(0.45, 0.6))
    assert found.broken.tolist() == [True, False]


@pytest.mark.parametrize("climbed", [None, Shaken(Brightness(), 0.05, 2).eval()])
def test_the_same_seed_finds_the_same_for_any_ladder(climbed):
    images = grey(0.52, 0.6, 0.7)
    attack = PGD(steps=3, random_start=True, restarts=2)
    model = Shaken(Brightness(), 0.05, 2)
    both = search(attack, model, images, [0.02, 0.05], climbed=climbed)
    (smaller,) = search(attack, model, images, [0.02], climbed=climbed)
    torch.testing.assert_close(both[0].images, smaller.images, rtol=0, atol=0)
    for result, epsilon in zip(both, (0.02, 0.05), strict=True):
        assert (result.images - images).abs().max() <= epsilon + 1e-6

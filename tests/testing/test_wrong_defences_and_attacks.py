"""Each wrong defence or attack is caught, by the test that says what is wrong."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from hfcbench.attack_types import Attack
from hfcbench.defence_modules import InputTransform, RandomAnswers
from hfcbench.testing import AttackContract, DefenceContract


class Changed(InputTransform):
    """A model behind a function of images."""

    differentiable = True

    def __init__(self, model, change):
        super().__init__(model)
        self.change = change

    def transform(self, images):
        return self.change(images)


def defence(change):
    class Defence:
        """Change images. Source: none."""

        def defend(self, model):
            return Changed(model, change).eval()

    return Defence


class Good:
    """Halve the contrast. Source: none."""

    def defend(self, model):
        return Changed(model, lambda images: images / 2 + 0.25).eval()


class Rounding:
    """Round without letting attacks through. Source: none."""

    def defend(self, model):
        return Changed(model, lambda images: (images * 3).round() / 3).eval()


class OfTheGiven:
    """Change the given model itself. Source: none."""

    def defend(self, model):
        with torch.no_grad():
            next(model.parameters()).mul_(0.5)
        return Changed(model, lambda images: images).eval()


class Training:
    """Forget eval(). Source: none."""

    def defend(self, model):
        return Changed(model, lambda images: images).train()


class Half(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = copy.deepcopy(model)

    def forward(self, images):
        return self.model(images)[:, :2]


class FewerClasses:
    """Answer with fewer classes. Source: none."""

    def defend(self, model):
        return Half(model).eval()


class Noisy:
    """Draw from a generator of its own, and do not say so. Source: none."""

    def defend(self, model):
        generator = torch.Generator().manual_seed(0)
        return Changed(
            model, lambda images: (images + 0.1 * torch.rand(1, generator=generator)).clamp(0, 1)
        ).eval()


class SeededNoise:
    """Draw from torch's generator and do not say so. Source: none."""

    def defend(self, model):
        return Changed(model, lambda x: (x + 0.1 * torch.rand_like(x)).clamp(0, 1)).eval()


class Silent:
    def defend(self, model):
        return Changed(model, lambda images: images).eval()


class Unexplained:
    """Add something. Source: none."""

    def __init__(self, amount: float = 0.0):
        self.amount = amount

    def defend(self, model):
        return Changed(model, lambda images: images).eval()


class Uncited:
    """Do nothing to an image."""

    def defend(self, model):
        return Changed(model, lambda images: images).eval()


def test_a_good_defence_keeps_its_contract(broken):
    assert broken(DefenceContract, Good) == {}


def test_declared_randomness_is_no_mistake(broken):
    class Draws(RandomAnswers):
        def draw(self, images):
            return self.model((images + 0.1 * torch.rand_like(images)).clamp(0, 1)).softmax(1)

    class Declared:
        """Draw noise and say so. Source: none."""

        def defend(self, model):
            return Draws(model, 4, 2).eval()

    assert broken(DefenceContract, Declared) == {}


SHAPES = "test_the_model_gets_images_of_the_same_shape_in_the_pixel_range"
SEEDS = "test_the_same_seed_gives_the_same_answers"
DOCUMENTED = "test_it_says_what_it_is"


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (defence(lambda x: x[..., 1:]), SHAPES, "shape (3, 32, 31) instead of (3, 32, 32)"),
        (defence(lambda x: x * 3 - 1), SHAPES, "outside of [0,1]"),
        (defence(lambda x: x / 0), SHAPES, "not finite"),
        (
            defence(lambda x: x - x.mean(0, keepdim=True) / 2 + 0.25),
            "test_an_answer_does_not_depend_on_the_other_images",
            "when others are in its batch",
        ),
        (
            defence(lambda x: x / 2 if x.requires_grad else x),
            "test_gradients_change_no_answer",
            "where gradients are taken",
        ),
        (Rounding, "test_attacks_find_a_gradient", "a gradient of zero"),
        (OfTheGiven, "test_the_given_model_stays_as_it_was", "changes the model"),
        (Training, "test_the_defended_model_is_in_evaluation_mode", "training mode"),
        (FewerClasses, "test_answers_are_logits_of_the_model_s_classes", "expected (6, 4)"),
        (Noisy, SEEDS, "differently at the same seed"),
        (SeededNoise, SEEDS, "is random and does not say so"),
        (Silent, DOCUMENTED, "has no description"),
        (Unexplained, DOCUMENTED, "does not say what its parameter 'amount' is"),
        (Uncited, DOCUMENTED, "where its method is from"),
    ],
)
def test_a_wrong_defence_is_caught(broken, wrong, test, message):
    assert message in broken(DefenceContract, wrong)[test]


def climb(model, images, labels):
    """The sign of the loss's gradient."""
    images = images.detach().requires_grad_()
    loss = nn.functional.cross_entropy(model(images), labels)
    return torch.autograd.grad(loss, images)[0].sign()


class Base(Attack):
    """One step along the sign (Goodfellow et al., 2015)."""

    def perturb(self, model, images, labels, epsilons, generator):
        direction = climb(model, images, labels)
        return [(images + epsilon * direction).clamp(0, 1) for epsilon in epsilons]


class LeavesBall(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        return super().perturb(model, images, labels, [2 * e for e in epsilons], generator)


class LeavesRange(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        direction = climb(model, images, labels)
        return [images + epsilon * direction for epsilon in epsilons]


class Descends(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        direction = climb(model, images, labels)
        return [(images - epsilon * direction).clamp(0, 1) for epsilon in epsilons]


class DrawsGlobally(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        noise = torch.rand_like(images).sub(0.5).sign()
        return [(images + epsilon * noise).clamp(0, 1) for epsilon in epsilons]


class DrawsOnAndOn(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        def noise():
            return torch.rand(images.shape, generator=generator).sub(0.5).sign()

        return [(images + epsilon * noise()).clamp(0, 1) for epsilon in epsilons]


class InPlace(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        found = super().perturb(model, images, labels, epsilons, generator)
        images.add_(0.01)
        return found


class LeavesTraining(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        found = super().perturb(model, images, labels, epsilons, generator)
        model.train()
        return found


class Freezes(Base):
    def perturb(self, model, images, labels, epsilons, generator):
        model.requires_grad_(False)
        return super().perturb(model, images, labels, epsilons, generator)


BALL = "test_images_stay_in_the_ball_and_in_the_pixel_range"
GIVEN = "test_nothing_that_it_is_given_changes"


def test_a_good_attack_keeps_its_contract(broken):
    assert broken(AttackContract, Base) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (LeavesBall, BALL, "moved a pixel by 0.04"),
        (LeavesRange, BALL, "left the pixel range [0,1]"),
        (Descends, "test_it_raises_the_loss", "does not raise the loss"),
        (
            DrawsGlobally,
            "test_the_same_generator_gives_the_same_images",
            "other images with the same generator",
        ),
        (
            DrawsOnAndOn,
            "test_an_epsilon_s_images_do_not_depend_on_other_epsilons",
            "where others are asked for",
        ),
        (InPlace, GIVEN, "changes the images"),
        (LeavesTraining, GIVEN, "in training mode"),
        (Freezes, GIVEN, "without gradients"),
    ],
)
def test_a_wrong_attack_is_caught(broken, wrong, test, message):
    assert message in broken(AttackContract, wrong)[test]

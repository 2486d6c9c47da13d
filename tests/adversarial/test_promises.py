"""Attacks are held to their promises."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.adversarial.promises import attacked_images
from hfcbench.attack_types import Attack
from hfcbench.errors import NodeError

IMAGES = torch.rand(6, 1, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2
LABELS = torch.zeros(6, dtype=torch.int64)


class Returns(Attack):
    """An attack that returns whatever it is told to."""

    def __init__(self, change):
        self.change = change

    def perturb(self, model, images, labels, epsilons, generator):
        return self.change(images)


def call(attack, epsilons=(0.1,), model=None):
    model = nn.Identity().eval() if model is None else model
    generator = torch.Generator()
    return attacked_images(attack, "pull", model, IMAGES, LABELS, epsilons, generator)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: [images - 0.101], "at epsilon 0.1 moved a pixel by 0.101"),
        (lambda images: [images - 0.1 - 2e-6], "moved a pixel by"),
        (lambda images: [images * 0 - 1e-5], r"left the pixel range \[0,1\]: its pixels are from"),
        (lambda images: [images * 0 + 1.1], r"left the pixel range \[0,1\]"),
        (lambda images: [images.where(images > images.min(), torch.nan)], "not finite"),
        (lambda images: [images + torch.inf], "not finite"),
        (lambda images: [images[:, :, :2]], r"of shape \(6, 1, 2, 3\).*instead of shape \(6, 1, 3"),
        (lambda images: [images.double()], "torch.float64"),
        (lambda images: [None], "returned NoneType instead of images"),
        (lambda images: images, "returned Tensor instead of a list"),
        (lambda images: [], "returned 0 batches for 1 epsilons"),
        (lambda images: [images, images], "returned 2 batches for 1 epsilons"),
    ],
)
def test_broken_promises_are_named(change, message):
    with pytest.raises(NodeError, match=f"^attack 'pull' .*{message}"):
        call(Returns(change))


def test_each_epsilon_has_its_own_limit():
    found = call(Returns(lambda images: [images + 0.05, images + 0.1]), (0.05, 0.1))
    assert len(found) == 2
    with pytest.raises(NodeError, match=r"at epsilon 0\.05 moved"):
        call(Returns(lambda images: [images + 0.1, images + 0.1]), (0.05, 0.1))


def test_rounding_is_allowed():
    (found,) = call(Returns(lambda images: (images + 0.1 + 5e-7,)))
    assert torch.equal(found, IMAGES + 0.1 + 5e-7)


def test_an_attack_that_writes_into_its_images_spoils_nothing():
    before = IMAGES.clone()
    (found,) = call(Returns(lambda images: [images.add_(0.1)]))
    assert torch.equal(IMAGES, before)
    assert torch.equal(found, before + 0.1)


class Climb(Attack):
    """Follows a gradient with the plainest means, and leaves the model in training mode."""

    def perturb(self, model, images, labels, epsilons, generator):
        model.train()
        images.requires_grad_()
        model(images).sum().backward()
        return [images + epsilon * images.grad.sign() for epsilon in epsilons]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_are_on_for_attacks_and_off_after(mode):
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 2), nn.Dropout(0.1)).eval()
    with mode():
        (found,) = call(Climb(), model=model)
    assert not found.requires_grad
    assert ((found - IMAGES).abs() - 0.1).abs().max() < 1e-6
    assert not any(module.training for module in model.modules())

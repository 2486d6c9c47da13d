"""MI-FGSM accumulates gradients of equal weight."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.adversarial.ball import ball_of
from hfcbench.attacks.mi_fgsm import MIFGSM


def pixels(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("decay", "accumulated"),
    [
        # (-1, 1) / 2, and decay times (1, -3) / 4.
        (0.0, (-0.5, 0.5)),
        (0.5, (-0.375, 0.125)),
        (1.0, (-0.25, -0.25)),
    ],
)
@pytest.mark.parametrize("size", [1.0, 1e-30, 1e20])
def test_gradients_count_the_same_whatever_their_size(decay, accumulated, size):
    attack = MIFGSM(steps=4, decay=decay)
    ball = ball_of("linf", torch.full((1, 1, 1, 2), 0.5), 0.2)
    change, memory = attack.move(pixels(1.0, -3.0), ball, None)
    torch.testing.assert_close(change, pixels(0.05, -0.05))
    change, memory = attack.move(pixels(-1.0, 1.0) * size, ball, memory)
    torch.testing.assert_close(memory, pixels(*accumulated))
    torch.testing.assert_close(change, 0.05 * pixels(*accumulated).sign())


def test_l2_steps_go_along_the_accumulated_gradient():
    attack = MIFGSM(steps=2, decay=1.0, norm="l2")
    ball = ball_of("l2", torch.full((1, 1, 1, 2), 0.5), 0.1)
    _, memory = attack.move(pixels(1.0, 0.0), ball, None)
    change, _ = attack.move(pixels(0.0, 7.0), ball, memory)
    torch.testing.assert_close(change, pixels(1.0, 1.0) * 0.05 / math.sqrt(2))


def test_a_gradient_of_zero_leaves_the_memory_to_decide():
    attack = MIFGSM(steps=2, decay=0.5)
    ball = ball_of("linf", torch.full((1, 1, 1, 2), 0.5), 0.2)
    _, memory = attack.move(pixels(1.0, -3.0), ball, None)
    change, memory = attack.move(pixels(0.0, 0.0), ball, memory)
    torch.testing.assert_close(memory, pixels(0.125, -0.375))
    torch.testing.assert_close(change, pixels(0.1, -0.1))


def algorithm_1(model, images, labels, epsilon, steps, decay):
    """The source's algorithm, image by image."""
    found = []
    for image, label in zip(images, labels, strict=True):
        current, momentum = image[None].clone(), torch.zeros_like(image[None])
        for _ in range(steps):
            current.requires_grad_()
            loss = F.cross_entropy(model(current), label[None])
            (gradient,) = torch.autograd.grad(loss, current)
            momentum = decay * momentum + gradient / gradient.abs().sum()
            moved = current.detach() + epsilon / steps * momentum.sign()
            current = torch.min(torch.max(moved, image - epsilon), image + epsilon).clamp(0, 1)
        found.append(current)
    return torch.cat(found)


def test_it_is_the_algorithm_of_the_source():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3))
    model = model.double().eval()
    images, labels = torch.rand(4, 1, 6, 6).double(), torch.tensor([0, 1, 2, 0])
    (found,) = MIFGSM(steps=6, decay=0.9).perturb(model, images, labels, [0.2], torch.Generator())
    torch.testing.assert_close(found, algorithm_1(model, images, labels, 0.2, 6, 0.9))

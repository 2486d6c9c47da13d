"""Answers that are known in closed form: the nearest boundary of a linear model."""

from __future__ import annotations

import pytest
import torch
import torchattacks
from hfcbench_torchattacks.apgd import APGDCE
from hfcbench_torchattacks.fab import FAB
from hfcbench_torchattacks.square import Square
from hfcbench_torchattacks.unbounded_attacks import CW, EADEN, DeepFool
from torch import nn

from hfcbench.adversarial.ball import distances

SIZE = 5


@pytest.fixture(scope="module")
def linear():
    """A linear model of three classes, grey images of the first, and the change that each needs.

    Moving against ``w = w_k - w_0`` changes the difference of two logits by at most
    ``epsilon ||w||_1`` in norm linf, ``epsilon ||w||_2`` in norm l2: the smallest change is the
    difference divided by that, for the nearest class. No pixel comes near 0 or 1.
    """
    generator = torch.Generator().manual_seed(0)
    images = 0.5 + 0.05 * torch.randn(12, 1, SIZE, SIZE, generator=generator)
    layer = nn.Linear(SIZE * SIZE, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(3, SIZE * SIZE, generator=generator))
        # Square's windows of one pixel never lie in the last row or column.
        layer.weight.view(3, SIZE, SIZE)[:, -1] = 0
        layer.weight.view(3, SIZE, SIZE)[:, :, -1] = 0
        layer.bias.zero_()
        layer.bias[0] = -(images.flatten(1) @ (layer.weight[0] - layer.weight[1:]).T).min() + 0.3
    model = nn.Sequential(nn.Flatten(), layer).eval()
    logits = model(images).detach()
    assert (logits.argmax(1) == 0).all()
    margins = logits[:, :1] - logits[:, 1:]
    normals = layer.weight.detach()[1:] - layer.weight.detach()[0]
    smallest = {
        "linf": (margins / normals.abs().sum(1)).amin(1),
        "l2": (margins / normals.norm(dim=1)).amin(1),
    }
    return model, images, torch.zeros(12, dtype=torch.long), smallest


def broken(attack, linear, epsilon, image):
    """Whether the attack breaks one image at an epsilon."""
    model, images, labels, _ = linear
    one = slice(image, image + 1)
    (found,) = attack.perturb(
        model, images[one], labels[one], [float(epsilon)], torch.Generator().manual_seed(0)
    )
    assert distances(attack.norm, found - images[one]).item() <= epsilon + 1e-6
    return bool((model(found).argmax(1) != labels[one]).item())


@pytest.mark.parametrize(
    ("attack", "above"),
    [
        (FAB(steps=20), 1.01),
        (FAB(steps=20, targeted=False), 1.01),
        (FAB(steps=20, norm="l2"), 1.01),
        (APGDCE(steps=40), 1.01),
        (APGDCE(steps=40, norm="l2"), 1.02),
        (Square(queries=1500, seed=0), 1.02),
        (DeepFool(steps=10), 1.03),
    ],
    ids=lambda value: (
        type(value).__name__ + getattr(value, "norm", "") if not isinstance(value, float) else ""
    ),
)
def test_it_breaks_an_image_just_above_the_smallest_change_and_not_below(linear, attack, above):
    smallest = linear[3][attack.norm]
    for image in range(0, 12, 3):
        assert broken(attack, linear, above * smallest[image], image)
        assert not broken(attack, linear, 0.99 * smallest[image], image)


@pytest.mark.parametrize(
    "attack", [CW(c=10.0, steps=300, lr=0.003), EADEN(initial_const=1.0, beta=1e-4)]
)
def test_searches_for_small_changes_come_close_whatever_is_added_to_all_logits(linear, attack):
    model, images, labels, smallest = linear
    shifted = nn.Sequential(*model, Shift(-100.0)).eval()
    lengths = []
    for one in (model, shifted):
        (found,) = attack.perturb(one, images, labels, [10.0], torch.Generator())
        assert (model(found).argmax(1) != labels).all()
        lengths.append(distances("l2", found - images))
    assert (lengths[0] > 0.99 * smallest["l2"]).all()
    assert (lengths[0] < 1.5 * smallest["l2"] + 0.05).all()
    torch.testing.assert_close(lengths[1], lengths[0], rtol=0.01, atol=0)


def test_torchattacks_own_carlini_and_wagner_finds_nothing_where_logits_are_negative(linear):
    """Why its logits are shifted. Once this fails, torchattacks was mended."""
    model, images, labels, _ = linear
    shifted = nn.Sequential(*model, Shift(-100.0)).eval()
    found = torchattacks.CW(shifted, c=10.0, steps=300, lr=0.003)(images, labels)
    assert (model(found).argmax(1) == labels).all()


class Shift(nn.Module):
    """Adds a number to all logits, which changes no answer."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def forward(self, logits):
        return logits + self.number

"""Every step for every image, and which of several tries counts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.adversarial.climbing import best_of
from hfcbench.attacks.pgd import PGD

LABELS = torch.zeros(3, dtype=torch.int64)


class Pixel(nn.Module):
    """Two classes with logits 0 and the only pixel."""

    def forward(self, images):
        pixel = images.flatten(1)
        return torch.cat([torch.zeros_like(pixel), pixel], 1)


class Refusing(nn.Module):
    def forward(self, images):
        raise AssertionError("a single try needs no judgement")


def pixels(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


def test_of_several_tries_each_image_is_that_of_the_highest_loss():
    tries = [pixels(0.1, 0.9, 0.5), pixels(0.3, 0.2, 0.5), pixels(0.2, 0.8, 0.6)]
    assert torch.equal(best_of(iter(tries), Pixel(), LABELS), pixels(0.3, 0.9, 0.6))


def test_a_loss_that_is_no_number_is_the_highest():
    nan = torch.nan
    tries = [pixels(0.1, nan, 0.5), pixels(nan, 0.9, 0.2), pixels(0.9, 0.9, 0.4)]
    found = best_of(iter(tries), Pixel(), LABELS)
    assert found[:2].isnan().all()
    assert found[2] == 0.5


def test_a_single_try_is_not_judged():
    assert torch.equal(best_of(iter([pixels(0.1)]), Refusing(), LABELS), pixels(0.1))


@pytest.mark.parametrize("random_start", [False, True])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_tries_never_lower_the_loss_and_begin_with_the_same(random_start, norm):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)).eval()
    images, labels = torch.rand(20, 1, 6, 6), torch.arange(20) % 3
    losses = []
    for restarts in (1, 2, 4):
        attack = PGD(steps=2, norm=norm, random_start=random_start, restarts=restarts)
        (found,) = attack.perturb(model, images, labels, [0.5], torch.Generator().manual_seed(1))
        with torch.no_grad():
            losses.append(F.cross_entropy(model(found), labels, reduction="none"))
    assert (losses[0] <= losses[1]).all()
    assert (losses[1] <= losses[2]).all()
    assert (losses[0] < losses[2]).any()
    assert (losses[0] == losses[1]).any()


def test_targets_may_be_mixed():
    (found,) = PGD(steps=5, step_share=0.3).perturb(
        Pixel().eval(),
        pixels(0.5, 0.5),
        torch.tensor([[0.9, 0.1], [0.1, 0.9]]),
        [0.1],
        torch.Generator(),
    )
    torch.testing.assert_close(found, pixels(0.6, 0.4))

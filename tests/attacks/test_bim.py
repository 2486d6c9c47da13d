"""BIM takes steps of a fixed size, as many as the ball is wide."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.attacks.bim import BIM
from hfcbench.attacks.pgd import PGD

LEVEL = 1 / 255


def linear(weight: list[float]) -> nn.Module:
    """Logits 0 and the weighted sum of two pixels."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[0.0, 0.0], weight]))
    return model.eval()


@pytest.mark.parametrize(
    ("levels", "steps"),
    # min(n + 4, 1.25 n): the second for small balls, the first from 16 grey levels on.
    [(0, 1), (1, 2), (2, 3), (4, 5), (8, 10), (16, 20), (32, 36), (255, 259)],
)
def test_steps_are_those_of_the_source(levels, steps):
    assert BIM().steps_at(levels * LEVEL) == steps


def test_steps_count_in_units_of_the_step():
    assert BIM(step=0.01).steps_at(0.08) == 10
    assert BIM(step=0.01, steps=3).steps_at(0.08) == 3


@pytest.mark.parametrize("steps", [1, 3])
def test_each_step_changes_pixels_by_its_size_whatever_epsilon_is(steps):
    images = torch.full((1, 1, 1, 2), 0.5)
    found = BIM(step=0.02, steps=steps).perturb(
        linear([1.0, -0.1]), images, torch.tensor([0]), [0.1, 0.5], torch.Generator()
    )
    expected = 0.5 + steps * 0.02 * torch.tensor([1.0, -1.0])
    for batch in found:
        torch.testing.assert_close(batch.flatten(), expected)


@pytest.mark.parametrize("epsilon", [0.0, 0.5 * LEVEL, 0.03, 0.09, 0.5])
def test_the_border_of_every_ball_is_reached(epsilon):
    images = torch.full((1, 1, 1, 2), 0.5)
    (found,) = BIM().perturb(
        linear([1.0, -1.0]), images, torch.tensor([0]), [epsilon], torch.Generator()
    )
    torch.testing.assert_close((found - 0.5).abs(), torch.full((1, 1, 1, 2), epsilon))


def test_it_is_pgd_from_the_image_where_the_steps_are_as_long():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)).eval()
    images, labels = torch.rand(4, 1, 6, 6), torch.tensor([0, 1, 2, 0])
    (bim,) = BIM(step=0.025, steps=7).perturb(model, images, labels, [0.1], torch.Generator())
    (pgd,) = PGD(steps=7, step_share=0.25).perturb(model, images, labels, [0.1], torch.Generator())
    torch.testing.assert_close(bim, pgd, rtol=0, atol=1e-6)


def test_a_retry_takes_the_steps_it_is_told_from_a_random_point():
    retry = BIM(step=0.02).retry(9)
    assert (retry.steps_at(0.5), retry.restarts, retry.random_start) == (9, 1, True)
    assert retry.step == 0.02

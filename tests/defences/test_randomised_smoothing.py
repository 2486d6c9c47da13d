"""A linear model under Gaussian noise, whose answers and gradients are integrals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from hfcbench.adversarial.gradient import loss_gradient
from hfcbench.defence_modules import is_random, set_adaptive
from hfcbench.defences.randomised_smoothing import RandomisedSmoothing

SIGMA = 0.5
WEIGHT = torch.randn(12, generator=torch.Generator().manual_seed(0))


def linear() -> nn.Module:
    """Logits ``-z / 2`` and ``z / 2`` with ``z = w x``."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([-WEIGHT, WEIGHT]) / 2)
    return model.eval()


def images(count):
    return torch.rand(count, 3, 2, 2, generator=torch.Generator().manual_seed(1))


def under_noise(function, batch):
    """The mean of ``function(z)`` over the noise, for each image, by Gauss-Hermite quadrature."""
    points, shares = np.polynomial.hermite_e.hermegauss(80)
    z = (batch.flatten(1) @ WEIGHT).double().numpy()
    spread = SIGMA * float(WEIGHT.norm())
    return function(z[:, None] + spread * points) @ shares / np.sqrt(2 * np.pi)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_answers_are_mean_probabilities():
    batch = images(20)
    torch.manual_seed(0)
    with torch.no_grad():
        answers = RandomisedSmoothing(SIGMA, draws=4000).defend(linear())(batch)
    np.testing.assert_allclose(
        answers.exp()[:, 1].numpy(), under_noise(sigmoid, batch), atol=4 * 0.5 / np.sqrt(4000)
    )


def test_votes_are_shares_of_classes():
    batch = images(20)
    torch.manual_seed(0)
    with torch.no_grad():
        answers = RandomisedSmoothing(SIGMA, draws=4000, votes=True).defend(linear())(batch)
    shares = answers.exp()[:, 1].numpy()
    z = (batch.flatten(1) @ WEIGHT).numpy()
    expected = stats.norm.cdf(z / (SIGMA * float(WEIGHT.norm())))
    np.testing.assert_allclose(shares, expected, atol=4 * 0.5 / np.sqrt(4000))
    np.testing.assert_allclose(shares * 4000, np.rint(shares * 4000), atol=1e-2)


def gradient_errors(draws):
    """Relative errors ``(200,)`` of the loss gradient along the weights, and beside them."""
    batch = images(200)
    derivative = under_noise(lambda z: sigmoid(z) * (1 - sigmoid(z)), batch)
    expected = torch.from_numpy(-derivative / under_noise(sigmoid, batch))[:, None] * WEIGHT
    defended = RandomisedSmoothing(SIGMA, attack_draws=draws).defend(linear())
    torch.manual_seed(draws)
    found = loss_gradient(defended, batch, torch.ones(200, dtype=torch.int64)).flatten(1)
    return (found - expected).norm(dim=1) / expected.norm(dim=1)


def test_gradients_approach_those_of_the_mean_as_draws_grow():
    errors = {draws: float(gradient_errors(draws).square().mean().sqrt()) for draws in (8, 512)}
    assert errors[512] < 0.04
    # Eight times as exact with 64 times as many draws.
    assert errors[8] / errors[512] == pytest.approx(8, rel=0.25)


def test_votes_are_climbed_in_the_same_direction():
    labels = torch.ones(10, dtype=torch.int64)
    found = []
    for votes in (False, True):
        torch.manual_seed(0)
        defended = RandomisedSmoothing(SIGMA, votes=votes).defend(linear())
        found.append(loss_gradient(defended, images(10), labels).flatten(1))
    torch.testing.assert_close(*(nn.functional.normalize(gradient) for gradient in found))


@pytest.mark.parametrize("votes", [False, True])
def test_gradients_change_no_answer(votes):
    defended = RandomisedSmoothing(SIGMA, 5, 5, votes).defend(linear())
    answers = []
    for gradients in (True, False):
        torch.manual_seed(0)
        answers.append(defended(images(10).requires_grad_(gradients)).detach())
    assert torch.equal(*answers)


def test_attacks_that_know_no_better_follow_one_draw():
    defended = RandomisedSmoothing(SIGMA).defend(linear())
    set_adaptive(defended, False)
    torch.manual_seed(0)
    found = loss_gradient(defended, images(4), torch.ones(4, dtype=torch.int64))
    torch.manual_seed(0)
    noisy = images(4) + SIGMA * torch.randn(4, 3, 2, 2)
    expected = loss_gradient(linear(), noisy, torch.ones(4, dtype=torch.int64))
    torch.testing.assert_close(found, expected)


def test_it_says_that_it_is_random_and_leaves_the_model_as_it_was():
    model = linear().train()
    defended = RandomisedSmoothing().defend(model)
    assert is_random(defended)
    assert all(part.training for part in model.modules())
    assert not any(part.training for part in defended.modules())

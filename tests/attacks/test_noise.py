"""Noise of the right size and distribution, blind to the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn

from hfcbench.attacks.noise import Noise

GREY = torch.full((20, 3, 16, 16), 0.5)
LABELS = torch.zeros(20, dtype=torch.int64)


class Rounded(nn.Module):
    """Has no gradient."""

    def forward(self, images):
        return (images * 255).round().flatten(1)[:, :2].detach()


def perturb(attack, epsilons, images=GREY, seed=0, model=None):
    generator = torch.Generator().manual_seed(seed)
    model = Rounded().eval() if model is None else model
    return attack.perturb(model, images, LABELS[: len(images)], epsilons, generator)


def test_linf_noise_is_uniform_in_the_ball():
    (found,) = perturb(Noise(), [0.1])
    noise = (found - GREY).double().flatten().numpy()
    assert stats.kstest(noise, stats.uniform(-0.1, 0.2).cdf).pvalue > 0.001


def test_l2_noise_has_the_length_and_no_preferred_direction():
    (found,) = perturb(Noise(norm="l2"), [0.7])
    noise = (found - GREY).double().flatten(1).numpy()
    np.testing.assert_allclose(np.linalg.norm(noise, axis=1), 0.7, rtol=1e-5)
    # In many dimensions each coordinate of a uniform direction is nearly Gaussian.
    spread = 0.7 / np.sqrt(noise.shape[1])
    assert stats.kstest(noise.flatten() / spread, stats.norm.cdf).pvalue > 0.001
    assert np.abs(noise @ noise.T - np.diag(np.full(20, 0.49))).max() < 0.1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pixels_are_cut_to_their_range(norm):
    images = torch.rand(GREY.shape, generator=torch.Generator().manual_seed(1)).round()
    (found,) = perturb(Noise(norm=norm), [3.0], images)
    assert found.min() == 0
    assert found.max() == 1
    change = (found - images).flatten(1)
    assert (change.abs().amax(1) if norm == "linf" else change.norm(dim=1)).max() <= 3.0


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_every_epsilon_gets_the_same_noise_in_its_size(norm):
    small, large = perturb(Noise(norm=norm), [0.1, 0.2])
    torch.testing.assert_close(2 * (small - GREY), large - GREY, rtol=1e-3, atol=1e-6)
    (alone,) = perturb(Noise(norm=norm), [0.2])
    assert torch.equal(alone, large)
    (other,) = perturb(Noise(norm=norm), [0.2], seed=1)
    assert not torch.equal(other, large)


def test_of_several_draws_the_highest_loss_counts():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2)).eval()
    (found,) = perturb(Noise(draws=5), [0.2], model=model)
    (first,) = perturb(Noise(), [0.2], model=model)

    generator = torch.Generator().manual_seed(0)
    draws = [
        GREY + 0.2 * torch.empty_like(GREY).uniform_(-1, 1, generator=generator) for _ in "12345"
    ]
    losses = torch.stack([F.cross_entropy(model(draw), LABELS, reduction="none") for draw in draws])
    best = torch.stack(draws)[losses.argmax(0), torch.arange(20)]
    torch.testing.assert_close(found, best)
    torch.testing.assert_close(first, draws[0])
    assert len(losses.argmax(0).unique()) > 1


def test_it_says_what_it_needs():
    assert Noise.exact
    assert not Noise.needs_gradients

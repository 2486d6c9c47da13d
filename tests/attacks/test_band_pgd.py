"""PGD in a ring of frequencies: what it changes, how strong it is, and what leaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import nn

from hfcbench.attacks.band_pgd import BandPGD
from hfcbench.datasets.photo_patches import PhotoPatches
from hfcbench.errors import NodeError, SpecificationError


def ring_mask(height: int, width: int, inner: float, outer: float) -> np.ndarray:
    """Frequencies of the ring, in the order of ``numpy.fft.fft2``."""
    rows, columns = np.fft.fftfreq(height) * height, np.fft.fftfreq(width) * width
    distance = np.hypot(rows[:, None], columns[None, :])
    return (inner <= distance) & (distance < outer)


def leakage(changes: torch.Tensor, inner: float, outer: float) -> np.ndarray:
    """The share of each change's energy outside of the ring."""
    energy = np.abs(np.fft.fft2(changes.double().numpy())) ** 2
    outside = ~ring_mask(*changes.shape[2:], inner, outer)
    return (energy * outside).sum((1, 2, 3)) / energy.sum((1, 2, 3))


def in_ring(values: np.ndarray, inner: float, outer: float) -> np.ndarray:
    return np.fft.ifft2(np.fft.fft2(values) * ring_mask(*values.shape[-2:], inner, outer)).real


def network(channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 4)]
    return nn.Sequential(*layers, *head).eval()


def linear(weight: np.ndarray) -> nn.Module:
    """Logits 0 and the weighted sum of the pixels; class 0 is beaten along the weight."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.size, 2, bias=False))
    with torch.no_grad():
        model[1].weight[0].zero_()
        model[1].weight[1].copy_(torch.from_numpy(weight.flatten()))
    return model.eval()


def perturb(attack, model, images, epsilon, labels=None):
    labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
    (found,) = attack.perturb(model, images, labels, [epsilon], torch.Generator().manual_seed(0))
    return found


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("ring", [(0, 1), (0, 4), (4, 5), (3.5, 8), (8, 30)])
@pytest.mark.parametrize("size", [(32, 32), (15, 18)])
def test_nothing_leaks_where_no_pixel_is_cut(norm, ring, size):
    images = torch.rand(4, 3, *size, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25
    epsilon = 0.1 if norm == "linf" else 1.0
    attack = BandPGD(*ring, steps=5, step_share=0.5, random_start=True, norm=norm)
    found = perturb(attack, network(), images, epsilon)

    assert 0 < found.min() <= found.max() < 1
    assert leakage(found - images, *ring).max() < 1e-9
    changes = (found - images).flatten(1)
    lengths = changes.abs().amax(1) if norm == "linf" else changes.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((4,), epsilon), rtol=1e-4, atol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("ring", [(0, 4), (4, 8), (8, 16), (4, 5)])
def test_little_leaks_on_photographs(norm, ring):
    patches = np.concatenate(
        [chunk for chunk, _ in PhotoPatches(test_per_class=8).read(None, "test")]
    )
    images = torch.from_numpy(patches).float() / 255
    epsilon = 0.03 if norm == "linf" else 0.5
    found = perturb(BandPGD(*ring, norm=norm), network(), images, epsilon)

    at_limit = ((found == 0) | (found == 1)).flatten(1).any(1).numpy()
    leaked = leakage(found - images, *ring)
    assert leaked[at_limit].max() > 1e-7
    assert leaked[~at_limit].max() < 1e-9
    assert leaked.mean() < 1e-4
    assert leaked.max() < 2e-3


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    norm=st.sampled_from(["linf", "l2"]),
    epsilon=st.floats(0, 2, width=32),
)
def test_the_ball_is_never_left_where_every_pixel_is_at_its_limit(seed, norm, epsilon):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, 1, 9, 8, generator=generator).round()
    found = perturb(BandPGD(1, 4, steps=3, norm=norm, restarts=2), network(1), images, epsilon)
    changes = (found.double() - images.double()).flatten(1).numpy()
    longest = np.linalg.norm(changes, ord=np.inf if norm == "linf" else 2, axis=1).max()
    assert longest <= epsilon + np.finfo(np.float32).eps
    assert 0 <= found.min() <= found.max() <= 1


def test_l2_finds_the_best_change_for_a_linear_model():
    weight = np.random.default_rng(0).standard_normal((3, 12, 10)) / 20
    images = torch.full((1, 3, 12, 10), 0.5)
    found = perturb(BandPGD(2, 4, norm="l2"), linear(weight), images, 0.8)
    best = in_ring(weight, 2, 4)
    expected = 0.8 * best / np.linalg.norm(best)
    np.testing.assert_allclose((found - images)[0], expected, atol=1e-6)


@pytest.mark.parametrize("ring", [(0, 2), (1, 3), (2, 4), (3, 6)])
def test_linf_comes_near_to_the_best_change_for_a_linear_model(ring):
    """The best one is a linear program: maximise <w, d> for |d| <= epsilon, d in the ring."""
    size, epsilon = 8, 0.1
    weight = np.random.default_rng(1).standard_normal((size, size)) / 20
    outside = ~ring_mask(size, size, *ring)
    waves = np.fft.fft2(np.eye(size * size).reshape(-1, size, size))[:, outside].T
    program = linprog(
        -weight.flatten(),
        A_eq=np.concatenate([waves.real, waves.imag]),
        b_eq=np.zeros(2 * outside.sum()),
        bounds=(-epsilon, epsilon),
    )
    images = torch.full((1, 1, size, size), 0.5)
    found = perturb(BandPGD(*ring), linear(weight), images, epsilon)
    gained = float((found - images).flatten().double().numpy() @ weight.flatten())
    assert -program.fun * 0.85 <= gained <= -program.fun * 1.0001


def test_a_model_that_only_sees_one_ring_is_broken_there_and_nowhere_else():
    weight = in_ring(np.random.default_rng(2).standard_normal((1, 16, 16)), 2, 5)
    images = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(3)) * 0.5 + 0.25
    model = linear(weight)
    with torch.no_grad():
        clean = model(images)
        inside = model(perturb(BandPGD(2, 5), model, images, 0.05))
        outside = model(perturb(BandPGD(5, 12), model, images, 0.05))
    assert (inside[:, 1] - clean[:, 1]).min() > 1
    torch.testing.assert_close(outside, clean, rtol=0, atol=1e-4)


@pytest.mark.parametrize("radii", [(4, 4), (8, 4)])
def test_radii_in_the_wrong_order_are_refused(radii):
    with pytest.raises(SpecificationError, match="inner radius below its outer one"):
        BandPGD(*radii)


def test_a_ring_beyond_all_frequencies_is_refused():
    images = torch.rand(1, 1, 8, 8)
    with pytest.raises(NodeError, match="no frequency of 8x8 images lies from 6 to 9 cycles"):
        perturb(BandPGD(6, 9), network(1), images, 0.1)


def test_a_model_may_withstand_it_at_any_epsilon():
    assert not BandPGD(0, 4).covers_ball

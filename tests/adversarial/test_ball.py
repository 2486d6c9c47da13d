"""Balls: what lies inside, the nearest point, the steepest direction, and random points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hfcbench.adversarial.ball import ball_of, distances

NORMS = ["linf", "l2"]
EPS = np.finfo(np.float32).eps

seeds = st.integers(0, 10_000)
radii = st.floats(0, 3, width=32)
scales = st.sampled_from([1e-3, 0.1, 1.0, 30.0])


def images_of(seed: int, shape=(3, 2, 5, 4)) -> torch.Tensor:
    """In [0,1], with many pixels at both limits."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator).mul(1.6).sub(0.3).clamp(0, 1)


def anywhere(images: torch.Tensor, seed: int, scale: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    return images + scale * torch.randn(images.shape, generator=generator)


def lengths(norm: str, changes: torch.Tensor) -> np.ndarray:
    order = np.inf if norm == "linf" else 2
    return np.linalg.norm(changes.double().flatten(1).numpy(), ord=order, axis=1)


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=60, deadline=None)
@given(seed=seeds, epsilon=radii, scale=scales)
def test_projections_lie_in_the_ball_and_are_images(norm, seed, epsilon, scale):
    images = images_of(seed)
    found = ball_of(norm, images, epsilon).project(anywhere(images, seed, scale))
    assert 0 <= found.min() <= found.max() <= 1
    assert lengths(norm, found.double() - images.double()).max() <= epsilon * (1 + EPS) + EPS


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=60, deadline=None)
@given(seed=seeds, epsilon=radii, scale=scales)
def test_what_is_inside_stays(norm, seed, epsilon, scale):
    images = images_of(seed)
    ball = ball_of(norm, images, epsilon)
    inside = ball.project(anywhere(images, seed, scale))
    torch.testing.assert_close(ball.project(inside), inside, rtol=0, atol=4 * EPS)
    assert torch.equal(ball.project(images), images)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, epsilon=radii, scale=scales)
def test_the_linf_projection_is_the_nearest_point_pixel_by_pixel(seed, epsilon, scale):
    images = images_of(seed)
    moved = anywhere(images, seed, scale)
    found = ball_of("linf", images, epsilon).project(moved).double()
    low = (images.double() - epsilon).clamp(min=0)
    high = (images.double() + epsilon).clamp(max=1)
    nearest = torch.minimum(torch.maximum(moved.double(), low), high)
    torch.testing.assert_close(found, nearest, rtol=0, atol=EPS)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, epsilon=st.floats(0, 0.25, width=32), scale=scales)
def test_the_l2_projection_shortens_along_the_line_where_no_pixel_is_cut(seed, epsilon, scale):
    images = 0.4 + 0.2 * images_of(seed)
    moved = anywhere(images, seed, scale)
    found = ball_of("l2", images, epsilon).project(moved)
    change = (moved - images).double().flatten(1).numpy()
    length = np.linalg.norm(change, axis=1, keepdims=True)
    expected = change * np.minimum(1, epsilon / length)
    np.testing.assert_allclose((found - images).flatten(1), expected, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=60, deadline=None)
@given(seed=seeds, size=st.sampled_from([1e-40, 1e-25, 1.0, 1e25]))
def test_no_direction_of_length_one_is_steeper(norm, seed, size):
    images = images_of(seed)
    generator = torch.Generator().manual_seed(seed)
    gradient = torch.randn(images.shape, generator=generator) * size
    steepest = ball_of(norm, images, 0.1).steepest(gradient)
    others = torch.randn(images.shape, generator=generator)
    np.testing.assert_allclose(lengths(norm, steepest), 1, rtol=1e-5)
    # Where numbers are this small few digits are left of them.
    slack = 0.02 if size == 1e-40 else 1e-5
    slopes = (gradient.double() / size * steepest).flatten(1).sum(1)
    dual = np.linalg.norm(
        gradient.double().flatten(1) / size, ord=1 if norm == "linf" else 2, axis=1
    )
    np.testing.assert_allclose(slopes, dual, rtol=slack)
    other = others / torch.from_numpy(lengths(norm, others)).view(-1, 1, 1, 1)
    assert ((gradient.double() / size * other).flatten(1).sum(1) <= slopes * (1 + slack)).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("value", [0.0, torch.nan])
def test_a_gradient_that_points_nowhere_has_no_direction(norm, value):
    gradient = torch.ones(2, 1, 3, 3)
    gradient[0] = value
    steepest = ball_of(norm, torch.zeros(2, 1, 3, 3), 0.1).steepest(gradient)
    assert torch.equal(steepest[0], torch.zeros(1, 3, 3))
    np.testing.assert_allclose(lengths(norm, steepest)[1], 1, rtol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=40, deadline=None)
@given(seed=seeds, epsilon=radii)
def test_random_points_lie_inside(norm, seed, epsilon):
    images = images_of(seed)
    found = ball_of(norm, images, epsilon).random_point(torch.Generator().manual_seed(seed))
    assert 0 <= found.min() <= found.max() <= 1
    assert lengths(norm, found.double() - images.double()).max() <= epsilon * (1 + EPS) + EPS


@pytest.mark.parametrize("norm", NORMS)
def test_random_points_are_uniform(norm):
    images = torch.full((4000, 1, 1, 2), 0.5)
    found = ball_of(norm, images, 0.2).random_point(torch.Generator().manual_seed(0))
    change = (found - images).flatten(1).double().numpy() / 0.2
    if norm == "linf":
        uniform = change.flatten() / 2 + 0.5
    else:
        # Uniform in a disc: angles are uniform, and so are squares of radii.
        angle = np.arctan2(change[:, 0], change[:, 1])
        assert stats.kstest(angle / (2 * np.pi) + 0.5, "uniform").pvalue > 0.001
        uniform = (change**2).sum(1)
    assert stats.kstest(uniform, "uniform").pvalue > 0.001


@pytest.mark.parametrize("norm", NORMS)
def test_parts_are_the_balls_of_some_images(norm):
    images = images_of(0)
    moved = anywhere(images, 0, 1.0)
    chosen = torch.tensor([2, 0])
    ball = ball_of(norm, images, 0.1)
    assert torch.equal(ball.part(chosen).project(moved[chosen]), ball.project(moved)[chosen])


def test_distances_are_norms_of_whole_images():
    changes = torch.tensor([[[[0.3, -0.4]]], [[[0.0, 0.0]]]])
    torch.testing.assert_close(distances("linf", changes), torch.tensor([0.4, 0.0]))
    torch.testing.assert_close(distances("l2", changes), torch.tensor([0.5, 0.0]))

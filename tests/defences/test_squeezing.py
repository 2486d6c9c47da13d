"""Rounding, medians and non-local means against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from hfcbench.defences.squeezing import median_filter, non_local_means, reduce_bits


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_levels_are_those_of_numpy(bits):
    batch = images(2, 3, 9, 7)
    levels = np.float32(2**bits - 1)
    expected = np.rint(batch.numpy() * levels) / levels
    np.testing.assert_array_equal(reduce_bits(batch, bits).numpy(), expected)
    assert reduce_bits(
        torch.linspace(0, 1, 10_000).view(1, 1, 100, 100), bits
    ).unique().numel() == (2**bits)


def test_eight_bits_leave_eight_bit_images_as_they_are():
    pixels = torch.arange(256).view(1, 1, 16, 16) / 255
    assert torch.equal(reduce_bits(pixels, 8), pixels)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 1, 5, 7), (2, 2, 3, 4), (1, 1, 1, 6)])
def test_medians_are_those_of_scipy(size, shape):
    for batch in (images(*shape), images(*shape).mul(4).round()):  # with equal values, too
        expected = ndimage.median_filter(batch.numpy(), size=(1, 1, size, size), mode="reflect")
        np.testing.assert_array_equal(median_filter(batch, size).numpy(), expected)


def test_the_gradient_of_a_median_belongs_to_the_pixel_it_was_taken_from():
    batch = images(1, 1, 6, 6).requires_grad_()
    median_filter(batch, 3)[0, 0, 2, 3].backward()
    window = batch.detach()[0, 0, 1:4, 2:5]
    expected = torch.zeros(6, 6)
    expected[1:4, 2:5] = (window == window.median()).float()
    assert torch.equal(batch.grad[0, 0], expected)


def by_loops(image, strength, search, patch):
    """Non-local means of one image ``(C,H,W)``, pixel by pixel."""
    reach, half = search // 2, patch // 2
    around = ((0, 0), (reach + half,) * 2, (reach + half,) * 2)
    padded = np.pad(image.astype(np.float64), around, mode="reflect")

    def surroundings(row, column):
        return padded[:, row - half : row + half + 1, column - half : column + half + 1]

    result = np.empty(image.shape)
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            y, x = row + reach + half, column + reach + half
            total, weights = np.zeros(len(image)), 0.0
            for other_y in range(y - reach, y + reach + 1):
                for other_x in range(x - reach, x + reach + 1):
                    difference = surroundings(y, x) - surroundings(other_y, other_x)
                    weight = np.exp(-np.mean(difference**2) / strength**2)
                    total += weight * padded[:, other_y, other_x]
                    weights += weight
            result[:, row, column] = total / weights
    return result


@pytest.mark.parametrize(
    ("channels", "strength", "search", "patch"), [(3, 0.2, 5, 3), (1, 0.1, 3, 1), (2, 0.3, 7, 5)]
)
def test_non_local_means_by_loops(channels, strength, search, patch):
    batch = images(2, channels, 9, 8)
    found = non_local_means(batch, strength, search, patch).numpy()
    for one, image in zip(found, batch.numpy(), strict=True):
        np.testing.assert_allclose(one, by_loops(image, strength, search, patch), atol=2e-6)


def test_non_local_means_take_noise_away_and_leave_edges():
    step = torch.zeros(1, 1, 16, 16)
    step[..., 8:] = 1
    noise = 0.02 * torch.randn(step.shape, generator=torch.Generator().manual_seed(0))
    cleaned = non_local_means(step + noise, 0.05, 9, 3)
    assert (cleaned - step).square().mean() < 0.2 * noise.square().mean()
    assert (cleaned - step).abs().max() < 0.06


def test_the_gradient_of_non_local_means_is_that_of_finite_differences():
    batch = images(1, 2, 5, 6).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda images: non_local_means(images, 0.3, 3, 3), (batch,))

"""Components in one pass, and the rescalings by their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.errors import SpecificationError
from hfcbench.frequency.components import ORIGINAL, Component, extract, rescale
from hfcbench.frequency.fourier import split_radial


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_components_come_in_the_asked_order_from_one_split_each(images):
    calls = []

    class Counting(FFTRadial):
        def split(self, images, cutoffs):
            calls.append(list(cutoffs))
            return super().split(images, cutoffs)

    counting, other = Counting(), FFTRadial()
    found = extract(
        images,
        [
            Component(counting, 1, 4.0),
            ORIGINAL,
            Component(counting, 0, 8.0, "max"),
            Component(other, 0, 4.0),
            Component(counting, 0, 4.0),
        ],
    )
    (low4, high4), (low8, _) = split_radial(images, [4, 8])
    assert calls == [[4.0, 8.0]]
    assert found[1] is images
    for got, expected in zip(
        (found[0], found[2], found[3], found[4]),
        (high4, low8 / low8.amax((1, 2, 3), keepdim=True), low4, low4),
        strict=True,
    ):
        torch.testing.assert_close(got, expected)


def by_formula(part: np.ndarray, image: np.ndarray, rescaling: str) -> np.ndarray:
    """One image ``(C,H,W)`` at a time."""
    if rescaling == "max":
        return part / part.max()
    if rescaling == "minmax":
        return (part - part.min()) / (part.max() - part.min())
    if rescaling == "clip":
        return np.minimum(np.maximum(part, 0), 1)
    if rescaling == "mean":
        return part + np.stack([np.full(c.shape, c.mean()) for c in image])
    return part


@pytest.mark.parametrize("rescaling", ["none", "max", "minmax", "clip", "mean"])
def test_rescalings_are_their_formulas(images, rescaling):
    ((_, high),) = split_radial(images, [4])
    found = rescale(high, images, rescaling).numpy()
    for index in range(len(images)):
        expected = by_formula(high[index].numpy(), images[index].numpy(), rescaling)
        np.testing.assert_allclose(found[index], expected, atol=1e-5)


def test_the_mean_of_a_low_part_is_already_there(images):
    ((low, _),) = split_radial(images, [4])
    torch.testing.assert_close(rescale(low, images, "mean"), low, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rescaling", ["max", "minmax"])
def test_rounding_noise_is_not_blown_up(rescaling):
    flat = torch.full((1, 1, 8, 8), 0.4)
    ((_, high),) = split_radial(flat, [4])
    assert rescale(high, flat, rescaling).abs().max() < 1e-4


def test_components_that_mean_nothing_are_refused(images):
    with pytest.raises(SpecificationError):
        Component(None, 0, 4.0)
    with pytest.raises(SpecificationError):
        Component(FFTRadial(), 0, None)
    with pytest.raises(SpecificationError, match="did you mean 'max'"):
        rescale(images, images, "maxx")

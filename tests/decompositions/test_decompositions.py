"""The built-in decompositions: how cutoffs are written, checked and handed on."""

from __future__ import annotations

import pytest
import torch

from hfcbench.decompositions.fft_band import FFTBand
from hfcbench.decompositions.fft_gaussian import FFTGaussian
from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.decompositions.fft_radial_share import FFTRadialShare
from hfcbench.decompositions.fft_square import FFTSquare
from hfcbench.decompositions.svd import SVD
from hfcbench.errors import SpecificationError
from hfcbench.frequency.fourier import split_bands, split_gaussian, split_radial, split_square
from hfcbench.frequency.svd import split_svd
from hfcbench.types import ImageShape

SHAPE = ImageShape(3, 32, 32)


@pytest.mark.parametrize(
    ("decomposition", "text", "split", "argument"),
    [
        (FFTRadial(), "4", split_radial, 4),
        (FFTRadialShare(), "0.25", split_radial, 8),
        (FFTSquare(), "4.5", split_square, 4.5),
        (FFTGaussian(), "1e1", split_gaussian, 10),
        (FFTBand(), "4-8", split_bands, (4, 8)),
        (FFTBand(), "0-8", split_bands, (0, 8)),
        (SVD(), "3", split_svd, 3),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_a_written_cutoff_reaches_the_split(decomposition, text, split, argument):
    images = torch.rand(2, 3, 32, 32)
    cutoff = decomposition.parse(text)
    decomposition.check(cutoff, SHAPE)
    ((low, high),) = decomposition.split(images, [cutoff])
    ((expected_low, expected_high),) = split(images, [argument])
    assert torch.equal(low, expected_low)
    assert torch.equal(high, expected_high)


@pytest.mark.parametrize(
    ("decomposition", "text"),
    [
        (FFTRadial(), "x"),
        (FFTRadial(), ""),
        (FFTRadial(), "-4"),
        (FFTRadial(), "nan"),
        (FFTRadial(), "4-8"),
        (FFTBand(), "4"),
        (FFTBand(), "8-4"),
        (FFTBand(), "4-"),
        (SVD(), "2.5"),
        (SVD(), "0"),
    ],
)
def test_what_is_no_cutoff_is_refused(decomposition, text):
    with pytest.raises(SpecificationError):
        decomposition.parse(text)


@pytest.mark.parametrize(
    ("decomposition", "largest", "too_large"),
    [
        (FFTRadial(), 22.0, 22.7),
        (FFTRadialShare(), 0.7, 0.71),
        (FFTSquare(), 16.0, 16.1),
        (FFTGaussian(), 22.0, 23.0),
        (FFTBand(), (22.0, 40.0), (23.0, 40.0)),
        (SVD(), 31.0, 32.0),
    ],
)
def test_cutoffs_that_split_nothing_are_refused(decomposition, largest, too_large):
    decomposition.check(largest, SHAPE)
    with pytest.raises(SpecificationError):
        decomposition.check(too_large, SHAPE)


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (33, 80)])
def test_a_share_is_of_each_pictures_shorter_side(height, width):
    pictures = torch.rand(1, 3, height, width)
    ((low, _),) = FFTRadialShare().split(pictures, [0.25])
    ((expected, _),) = split_radial(pictures, [min(height, width) / 4])
    assert torch.equal(low, expected)

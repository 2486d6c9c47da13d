"""Basis images and band noise against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.frequency.fourier_basis import band_noise, basis_images, half_plane, mirrored
from hfcbench.frequency.masks import euclidean_distances

SIZES = [(6, 6), (5, 7), (8, 5), (1, 4)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_half_of_the_plane_and_its_mirror_are_all_frequencies(height, width):
    half = half_plane(height, width)
    both = {tuple(pair) for pair in half.tolist()}
    assert len(both) == len(half)
    both |= {tuple(pair) for pair in mirrored(half, height, width).tolist()}
    everything = {
        (round(i * height), round(j * width))
        for i in np.fft.fftfreq(height)
        for j in np.fft.fftfreq(width)
    }
    assert both == everything


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_basis_images_are_unit_waves_of_one_frequency(height, width):
    half = half_plane(height, width)
    waves = basis_images(height, width, half).double().numpy()
    flat = waves.reshape(len(waves), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-5)
    for (i, j), wave in zip(half.tolist(), waves, strict=True):
        spectrum = np.abs(np.fft.fft2(wave))
        peaks = {(i % height, j % width), (-i % height, -j % width)}
        assert {tuple(place) for place in np.argwhere(spectrum > 1e-4)} == peaks


def test_band_noise_lies_in_its_band_and_has_unit_deviation():
    noise = band_noise((400, 1, 16, 16), 4, 8, torch.Generator().manual_seed(0))
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(noise[:20].numpy()), axes=(2, 3)))
    distance = euclidean_distances(16, 16)
    outside = (distance < 4) | (distance >= 8)
    assert spectrum[..., outside].max() < 1e-3
    assert spectrum[..., ~outside].min() > 0
    assert noise.std().item() == pytest.approx(1, abs=0.02)

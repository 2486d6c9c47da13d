"""Heat map and critical bands of a model that looks at one frequency only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.analyses.bands import octaves
from hfcbench.analyses.critical_band import CriticalBand
from hfcbench.analyses.fourier_heat_map import FourierHeatMap
from hfcbench.analyses.heat_maps import error_counts
from hfcbench.frequency.fourier_basis import basis_images

SIZE = 16
GREY = np.full((12, 1, SIZE, SIZE), 128)


def wave(i, j):
    return basis_images(SIZE, SIZE, torch.tensor([[i, j]]))[0]


def test_the_heat_map_shows_the_one_frequency_that_the_model_sees(subject, detector, named):
    # Grey images have none of it: right answers are class 0.
    seen = subject(detector(wave(3, -2), 0.5), GREY, np.zeros(12))
    found = named(FourierHeatMap(norm=1.0).measure(seen))
    error = found["error"]
    expected = np.zeros((SIZE, SIZE))
    for i, j in ((3, -2), (-3, 2)):
        expected[SIZE // 2 + i, SIZE // 2 + j] = 1
    np.testing.assert_array_equal(error.values, expected)
    assert [axis.name for axis in error.axes] == ["vertical-frequency", "horizontal-frequency"]
    assert error.axes[0].values[SIZE // 2] == 0
    assert error.n == 12
    assert error.low[0, 0] == 0 < error.high[0, 0] < 0.35
    assert float(found["clean-error"].values) == 0
    means = found["error-by-radius"].values
    ring = np.floor(np.hypot(*np.meshgrid(np.arange(-8, 8), np.arange(-8, 8)))).astype(int)
    assert means[3] == pytest.approx(2 / (ring == 3).sum())
    assert means.sum() == pytest.approx(means[3])


def test_noise_has_the_stated_norm_and_random_signs(subject, named):
    class Recorder(torch.nn.Module):
        seen = ()

        def forward(self, images):
            self.seen = (*self.seen, images.clone())
            return torch.zeros(len(images), 2)

    model = Recorder()
    images = np.full((6, 3, 8, 8), 128)
    FourierHeatMap(norm=0.5).measure(subject(model, images, np.zeros(6)))
    noisy = torch.cat([batch for batch in model.seen if len(batch) > 6])
    norms = (noisy - 128 / 255).square().sum((2, 3)).sqrt()
    torch.testing.assert_close(norms, torch.full_like(norms, 0.5), atol=1e-4, rtol=0)
    assert noisy.mean((2, 3)).unique().numel() > 1


@pytest.mark.parametrize("analysis", [FourierHeatMap(norm=2.0), CriticalBand()])
def test_the_same_seed_gives_the_same_numbers(subject, detector, named, analysis):
    images = np.random.default_rng(0).integers(0, 256, GREY.shape)
    model = detector(wave(1, 1), 0.3)
    runs = [
        named(analysis.measure(subject(model, images, np.arange(12) % 2, seed=seed)))
        for seed in (1, 1)
    ]
    for name, quantity in runs[0].items():
        np.testing.assert_array_equal(quantity.values, runs[1][name].values)


def test_frequencies_at_once_change_nothing(subject, detector, named):
    images = np.random.default_rng(0).integers(0, 256, GREY.shape)
    seen = subject(detector(wave(1, 1), 0.3), images, np.arange(12) % 2)
    maps = [error_counts(seen, 2.0, at_once)[1] for at_once in (1, 7, 300)]
    np.testing.assert_array_equal(maps[0], maps[1])
    np.testing.assert_array_equal(maps[0], maps[2])


def test_octaves_go_down_from_nyquist():
    assert octaves(32, 32) == [(1, 2), (2, 4), (4, 8), (8, 16)]
    assert octaves(28, 40)[-1] == (7, 14)


def test_only_the_band_that_the_model_looks_at_costs_accuracy(subject, detector, named):
    seen = subject(detector(wave(0, 5), 0.12), GREY, np.zeros(12))
    found = named(CriticalBand([0.0, 0.001, 0.25]).measure(seen))
    top1 = found["top1"]
    assert top1.axes[1].values == pytest.approx([2**0.5, 2 * 2**0.5, 4 * 2**0.5])
    hit = top1.axes[1].values.index(max(top1.axes[1].values))  # 4 to 8 cycles
    assert (top1.values[:2] == 1).all()
    assert (np.delete(top1.values[2], hit) == 1).all()
    assert top1.values[2, hit] < 0.5
    thresholds = found["threshold"].values
    assert thresholds[hit] == 0.25
    assert np.isnan(np.delete(thresholds, hit)).all()

"""Kernels that are read where they are applied, and how smooth they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.analyses.first_layer_kernels import FirstLayerKernels
from hfcbench.defences.kernel_smoothing import KernelSmoothing
from hfcbench.errors import NodeError

IMAGES = np.zeros((2, 1, 8, 8))


class Network(nn.Module):
    """Declares a convolution before the one that it calls first."""

    def __init__(self, kernels):
        super().__init__()
        self.unused = nn.Conv2d(1, 1, 1)
        self.first = nn.Conv2d(1, len(kernels), 3, bias=False)
        self.second = nn.Conv2d(len(kernels), 2, 6)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor(np.array(kernels), dtype=torch.float32)[:, None])

    def forward(self, images):
        return self.second(self.first(images)).flatten(1)


def share_by_definition(kernel, size=32):
    energy = np.abs(np.fft.fft2(kernel, s=(size, size))) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    return energy[frequency >= 0.25 - 1e-9].sum() / energy.sum()


CHECKERS = np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]])


@pytest.mark.parametrize("kernel", [np.ones((3, 3)), CHECKERS, np.eye(3)])
def test_the_share_of_high_frequencies(subject, named, kernel):
    found = named(FirstLayerKernels().measure(subject(Network([kernel]), IMAGES, [0, 1])))
    share = found["high-frequency-share"]
    assert float(share.values) == pytest.approx(share_by_definition(kernel), abs=1e-5)
    np.testing.assert_array_equal(found["kernels"].values, kernel[None, None])
    beyond = found["spectral-energy-beyond"]
    assert beyond.values[0] == pytest.approx(1)
    assert (np.diff(beyond.values) <= 0).all()


def test_a_smooth_kernel_has_less_of_it_than_a_rough_one():
    assert share_by_definition(np.ones((3, 3))) < 0.25 < 0.9 < share_by_definition(CHECKERS)


def test_kernels_are_those_of_the_defended_model(subject, named):
    model = Network([CHECKERS, np.eye(3)])
    smoothed = KernelSmoothing(1.0).defend(model)
    found = named(FirstLayerKernels().measure(subject(smoothed, IMAGES, [0, 1])))
    # Every weight plus its eight neighbours, the border repeated: the middle sums all nine.
    assert found["kernels"].values[0, 0, 1, 1] == CHECKERS.sum()
    assert found["kernels"].values[1, 0, 1, 1] == 3
    np.testing.assert_array_equal(model.first.weight[0, 0].detach(), CHECKERS)


def test_models_without_kernels_are_refused(subject):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with pytest.raises(NodeError, match="calls no convolution"):
        FirstLayerKernels().measure(subject(flat, IMAGES, [0, 1]))
    large = nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten())
    big = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(1, 2, 32), nn.Flatten())
    FirstLayerKernels(8).measure(subject(large, IMAGES, [0, 1]))
    with pytest.raises(NodeError, match="32x32 exceed the padding of 8"):
        FirstLayerKernels(8).measure(subject(big, IMAGES, [0, 1]))

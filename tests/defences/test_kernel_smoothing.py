"""Kernel smoothing against a loop over weights and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import nn

from hfcbench.defences.kernel_smoothing import KernelSmoothing
from hfcbench.defences.smoothing import smooth_kernels
from hfcbench.errors import NodeError


def by_loop(kernel: np.ndarray, rho: float) -> np.ndarray:
    """Equation 3, weight by weight; neighbours beyond the border are copies of it."""
    height, width = kernel.shape
    smoothed = np.empty_like(kernel)
    for row in range(height):
        for column in range(width):
            total = 0.0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if (down, right) != (0, 0):
                        y = min(max(row + down, 0), height - 1)
                        x = min(max(column + right, 0), width - 1)
                        total += kernel[y, x]
            smoothed[row, column] = kernel[row, column] + rho * total
    return smoothed


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (11, 11), (3, 5)])
@pytest.mark.parametrize("rho", [0.0, 0.1, 1.0])
def test_every_weight_gains_its_neighbours(size, rho):
    weight = torch.randn(4, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    smoothed = smooth_kernels(weight, rho).numpy()

    stencil = np.full((3, 3), rho)
    stencil[1, 1] = 1
    for output, inputs in enumerate(weight.numpy()):
        for channel, kernel in enumerate(inputs):
            np.testing.assert_allclose(smoothed[output, channel], by_loop(kernel, rho))
            np.testing.assert_allclose(
                smoothed[output, channel], convolve(kernel, stencil, mode="nearest")
            )


def test_a_kernel_by_hand():
    weight = torch.tensor([[[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]])
    # The corner counts three times for itself, twice for its edge neighbours, once in the middle.
    expected = torch.tensor([[1 + 1.5, 1.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(smooth_kernels(weight, 0.5)[0, 0], expected)


def test_only_the_first_convolution_changes_and_only_in_the_copy():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, groups=1), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    defended = KernelSmoothing(rho=0.25).defend(model)

    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    state = defended.state_dict()
    torch.testing.assert_close(state["0.weight"], smooth_kernels(before["0.weight"], 0.25))
    assert not torch.equal(state["0.weight"], before["0.weight"])
    assert torch.equal(state["0.bias"], before["0.bias"])
    assert torch.equal(state["2.weight"], before["2.weight"])
    assert not defended.training


def test_a_model_without_convolution_is_refused():
    with pytest.raises(NodeError, match="needs a convolution"):
        KernelSmoothing().defend(nn.Linear(3, 2))

"""Smoothing convolution kernels (section 6.3, equation 3)."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.errors import NodeError


def smooth_kernels(weight: Tensor, rho: float) -> Tensor:
    """Add to every weight rho times the sum of its eight spatial neighbours.

    Neighbours beyond the border are copies of the border. Nothing is normalised: a constant
    kernel grows by the factor ``1 + 8 rho``.

    Args:
        weight: ``(O,I,kH,kW)``; kernels of one pixel have themselves as all eight neighbours.
        rho: weight of the neighbours, without unit.

    Returns:
        ``(O,I,kH,kW)``, a new tensor of the same type.
    """
    padded = F.pad(weight, (1, 1, 1, 1), mode="replicate")  # (O,I,kH+2,kW+2)
    stencil = torch.full((3, 3), rho, dtype=weight.dtype, device=weight.device)
    stencil[1, 1] = 1
    channels = weight.shape[1]
    return F.conv2d(padded, stencil.expand(channels, 1, 3, 3), groups=channels)


def smooth_first_convolution(model: nn.Module, rho: float) -> nn.Module:
    """A copy of the model whose first convolution has smoothed kernels.

    Raises:
        NodeError: the model has no two-dimensional convolution.
    """
    smoothed = copy.deepcopy(model)
    first = _first_convolution(smoothed)
    with torch.no_grad():
        first.weight.copy_(smooth_kernels(first.weight, rho))
    return smoothed.eval()


def _first_convolution(model: nn.Module) -> nn.Conv2d:
    """The first convolution in the order in which the model's parts were defined."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            return module
    raise NodeError("kernel smoothing needs a convolution; this model has none")

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


class SmoothedModel(nn.Module):
    """A model whose first convolution has smoothed kernels.

    The first convolution is the first that the model calls, which only a call can tell: it is
    found and smoothed while the first batch passes.

    Args:
        model: copied, so that the given one stays as it is.
        rho: see :func:`smooth_kernels`.

    Raises:
        NodeError: the model has no two-dimensional convolution; at the first call also if it
            calls none, or if the kernels are no plain parameter.
    """

    def __init__(self, model: nn.Module, rho: float) -> None:
        super().__init__()
        if not _convolutions(model):
            raise NodeError("kernel smoothing needs a convolution; this model has none")
        self.model = copy.deepcopy(model)
        self._rho = rho
        self._smoothed = False

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` for images ``(N,C,H,W)`` in [0,1]."""
        if not self._smoothed:
            return self._first_call(images)
        logits: Tensor = self.model(images)
        return logits

    def _first_call(self, images: Tensor) -> Tensor:
        handles = [
            convolution.register_forward_pre_hook(self._smooth_once)
            for convolution in _convolutions(self.model)
        ]
        try:
            logits: Tensor = self.model(images)
        finally:
            for handle in handles:
                handle.remove()
        if not self._smoothed:
            raise NodeError("kernel smoothing needs a convolution; this model calls none")
        return logits

    def _smooth_once(self, convolution: nn.Module, inputs: object) -> None:
        if self._smoothed:
            return
        weight = dict(convolution.named_parameters(recurse=False)).get("weight")
        if weight is None:
            raise NodeError(
                "the first convolution computes its kernels from a parametrization; "
                "kernel smoothing needs plain ones"
            )
        with torch.inference_mode(False), torch.no_grad():
            weight.copy_(smooth_kernels(weight, self._rho))
        self._smoothed = True


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]

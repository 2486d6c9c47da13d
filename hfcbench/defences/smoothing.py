"""Smoothing convolution kernels (section 6.3, equation 3)."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.errors import NodeError


def smooth_kernels(weight: Tensor, rho: float, *, normalised: bool = False) -> Tensor:
    """Add to every weight rho times the sum of its eight spatial neighbours.

    Neighbours beyond the border are copies of the border. The sum of a kernel's weights grows by
    the factor ``1 + 8 rho``, and so does a constant kernel.

    Args:
        weight: ``(O,I,kH,kW)``; kernels of one pixel have themselves as all eight neighbours.
        rho: weight of the neighbours, without unit.
        normalised: divide by that factor, so that every kernel's sum stays what it was.

    Returns:
        ``(O,I,kH,kW)``, a new tensor of the same type.
    """
    padded = F.pad(weight, (1, 1, 1, 1), mode="replicate")  # (O,I,kH+2,kW+2)
    stencil = torch.full((3, 3), rho, dtype=weight.dtype, device=weight.device)
    stencil[1, 1] = 1
    channels = weight.shape[1]
    smoothed = F.conv2d(padded, stencil.expand(channels, 1, 3, 3), groups=channels)
    return smoothed / (1 + 8 * rho) if normalised else smoothed


class SmoothedModel(nn.Module):
    """A model whose first convolutions have smoothed kernels.

    Which ones are first only a call can tell: the first image that the model is given goes through
    once to find them. Convolutions that share their kernels count as one.

    Args:
        model: copied, so that the given one stays as it is.
        rho: see :func:`smooth_kernels`.
        most: how many convolutions are smoothed, in the order of their calls; None smooths all.
        normalised: see :func:`smooth_kernels`.

    Raises:
        NodeError: the model has no two-dimensional convolution; at the first call also if it
            calls fewer than ``most``, or if their kernels are no plain parameters.
    """

    def __init__(
        self, model: nn.Module, rho: float, most: int | None = 1, *, normalised: bool = False
    ) -> None:
        super().__init__()
        if not _convolutions(model):
            raise NodeError("kernel smoothing needs a convolution; this model has none")
        self.model = copy.deepcopy(model)
        self._rho = rho
        self._most = most
        self._normalised = normalised
        self._smoothed = False

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` for images ``(N,C,H,W)`` in [0,1]."""
        if not self._smoothed:
            self._smooth(images[:1])
        logits: Tensor = self.model(images)
        return logits

    def _smooth(self, image: Tensor) -> None:
        # All kernels are found before any is changed: a call that fails leaves none half done.
        kernels = self._kernels(_called(self.model, image))
        with torch.inference_mode(False), torch.no_grad():
            for kernel in kernels:
                kernel.copy_(smooth_kernels(kernel, self._rho, normalised=self._normalised))
        self._smoothed = True

    def _kernels(self, called: list[nn.Conv2d]) -> list[nn.Parameter]:
        if not called:
            raise NodeError("kernel smoothing needs a convolution; this model calls none")
        kernels: dict[int, nn.Parameter] = {}
        for convolution in called:
            if len(kernels) == self._most:
                break
            weight = dict(convolution.named_parameters(recurse=False)).get("weight")
            if weight is None:
                raise NodeError(
                    "a convolution computes its kernels from a parametrization; "
                    "kernel smoothing needs plain ones"
                )
            kernels[id(weight)] = weight
        if self._most is not None and len(kernels) < self._most:
            raise NodeError(
                f"this model calls {len(kernels)} convolutions, of which {self._most} cannot be "
                "smoothed",
                hint="kernel-smoothing(layers=all) smooths as many as there are",
            )
        return list(kernels.values())


def _called(model: nn.Module, image: Tensor) -> list[nn.Conv2d]:
    """The convolutions that a model calls, in the order of their first calls."""
    called: dict[nn.Conv2d, None] = {}

    def note(convolution: nn.Module, inputs: object) -> None:
        if isinstance(convolution, nn.Conv2d):
            called[convolution] = None

    handles = [part.register_forward_pre_hook(note) for part in _convolutions(model)]
    try:
        with torch.no_grad():
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return list(called)


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]

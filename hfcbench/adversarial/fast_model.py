"""A model made ready for thousands of gradient steps: the same answers, computed faster."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from hfcbench.adversarial.folding import batchnorms, fold
from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.devices import seeded
from hfcbench.memory.exhaustion import is_out_of_memory
from hfcbench.precision import in_precision
from hfcbench.types import Precision

_TOLERANCE = 1e-3


class FastModel(nn.Module):
    """A frozen copy whose BatchNorm is folded into its convolutions and whose channels come last.

    In evaluation mode BatchNorm is a linear map, so that the convolution before it can take its
    factor and offset over. Where that cannot be done, or changes answers or gradients by more than
    rounding, the copy is only frozen. Rounding still differs, so that the signs of gradients near
    zero may flip: verdicts on images that this model finds belong to the model it was made of.

    Args:
        model: in evaluation mode; stays as it is.
        images: ``(N,C,H,W)`` in [0,1], a few, to compare answers on.
        precision: what convolutions and products compute in; logits are float32.

    Attributes:
        folded: how many BatchNorm layers the copy has less.
    """

    def __init__(self, model: nn.Module, images: Tensor, precision: Precision = "float32") -> None:
        super().__init__()
        copied = copy.deepcopy(model).requires_grad_(False)
        self.model = _folded(copied, images) if batchnorms(copied) else copied
        self.folded = batchnorms(copied) - batchnorms(self.model)
        self.model.to(memory_format=torch.channels_last)
        self.model = in_precision(self.model, precision)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` float32 for images ``(N,C,H,W)`` in [0,1]."""
        logits: Tensor = self.model(images.contiguous(memory_format=torch.channels_last))
        return logits


def _folded(model: nn.Module, images: Tensor) -> nn.Module:
    """A folded copy, or the model itself where that would not answer as it does."""
    with torch.no_grad():
        # The least likely class has a gradient that rounding hardly touches. What models only do at
        # their first call is done now.
        labels = model(images).argmin(1)
    expected = _answers(model, images, labels)
    try:
        folded = fold(model)
        found = _answers(folded, images, labels)
    # A rewritten model may fail in any way; the model itself did not.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return model
    close = all(
        bool((one - other).norm() <= _TOLERANCE * one.norm())
        for one, other in zip(expected, found, strict=True)
    )
    return folded if close else model


def _answers(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient and logits; models that draw at random all draw the same."""
    with seeded(images.device, 0, "fast model"):
        return gradient_and_logits(model, images, labels)

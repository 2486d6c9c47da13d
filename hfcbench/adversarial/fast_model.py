"""A model made ready for thousands of gradient steps: the same answers, computed faster."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from hfcbench.adversarial.folding import fold
from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.attack_types import Precision

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
        folded: whether any part of the copy was changed.
    """

    def __init__(self, model: nn.Module, images: Tensor, precision: Precision = "float32") -> None:
        super().__init__()
        self._dtype = torch.bfloat16 if precision == "bfloat16" else None
        copied = copy.deepcopy(model).requires_grad_(False)
        folded = _folded(copied, images)
        self.folded = folded is not None
        self.model = copied if folded is None else folded
        self.model.to(memory_format=torch.channels_last)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` float32 for images ``(N,C,H,W)`` in [0,1]."""
        images = images.contiguous(memory_format=torch.channels_last)
        if self._dtype is None:
            logits: Tensor = self.model(images)
            return logits
        with torch.autocast(images.device.type, self._dtype):
            logits = self.model(images)
        return logits.float()


def _folded(model: nn.Module, images: Tensor) -> nn.Module | None:
    """A folded copy; None where it would not answer as the model does."""
    with torch.no_grad():
        # The least likely class has a gradient that rounding hardly touches. What models only do at
        # their first call is done now.
        labels = model(images).argmin(1)
    expected = _answers(model, images, labels)
    try:
        folded = fold(model)
        found = _answers(folded, images, labels)
    # A rewritten model may fail in any way; the model itself did not.
    except Exception:
        return None
    close = all(
        bool((one - other).norm() <= _TOLERANCE * one.norm())
        for one, other in zip(expected, found, strict=True)
    )
    return folded if close else None


def _answers(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient and logits; models that draw at random all draw the same."""
    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(0)
        return gradient_and_logits(model, images, labels)

"""A model made ready for thousands of gradient steps: the same answers, computed faster."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn

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
    """

    def __init__(self, model: nn.Module, images: Tensor, precision: Precision = "float32") -> None:
        super().__init__()
        self._dtype = torch.bfloat16 if precision == "bfloat16" else None
        copied = copy.deepcopy(model).requires_grad_(False)
        folded = _folded(copied, images)
        self.model = folded.to(memory_format=torch.channels_last)
        self.folded = folded is not copied
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


def _folded(model: nn.Module, images: Tensor) -> nn.Module:
    """The model without the BatchNorms that could be folded; itself where none could be."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return model
    from torch.fx.experimental.optimization import fuse

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folded = fuse(model).eval().requires_grad_(False)
        same = _is_same(model, folded, images)
    # Tracing runs code of any model with stand-ins for tensors, which may fail in any way; such a
    # model is attacked as it is.
    except Exception:
        return model
    return folded if same else model


def _is_same(model: nn.Module, folded: nn.Module, images: Tensor) -> bool:
    with torch.no_grad():
        labels = model(images).argmax(1)
    gradient, logits = gradient_and_logits(model, images, labels)
    other_gradient, other_logits = gradient_and_logits(folded, images, labels)
    return _close(logits, other_logits) and _close(gradient, other_gradient)


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() <= _TOLERANCE * one.norm())

"""Computing in fewer bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hfcbench.types import Precision


def in_precision(model: nn.Module, precision: Precision) -> nn.Module:
    """The model, or one around it whose convolutions and products compute in ``precision``.

    Parameters, their gradients and what it returns are float32 either way.
    """
    return model if precision == "float32" else _Autocast(model, torch.bfloat16)


class _Autocast(nn.Module):
    """Shares the model's parameters and its mode."""

    def __init__(self, model: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self._dtype = dtype

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, self._dtype):
            logits = self.model(images)
        answered: Tensor = logits.float()
        return answered

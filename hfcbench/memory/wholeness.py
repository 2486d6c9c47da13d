"""Whether a model in training mode can be given a batch in parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hfcbench.devices import RandomStates

_TOLERANCE = 1e-3


def why_whole(model: nn.Module, forward: Callable[[Tensor], Tensor], images: Tensor) -> str | None:
    """Why it cannot, if it cannot: parts would be another training.

    Looked at are the model's answers to two images at once and to one at a time, and what drawing
    at random and changing buffers leave behind. The model is the same afterwards.

    Args:
        forward: what the model does with images.
        images: ``(2,C,H,W)``.
    """
    if any(isinstance(part, _BatchNorm) and part.training for part in model.modules()):
        return "BatchNorm takes its mean and variance over it"
    drawn = RandomStates(images.device)
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with torch.no_grad():
            together = forward(images)
            if drawn.moved:
                return "layers such as dropout draw at random for all of it at once"
            alone = torch.cat([forward(image) for image in torch.split(images, 1)])
    finally:
        drawn.restore()
        changed = [(buffer, saved) for buffer, saved in buffers if not torch.equal(buffer, saved)]
        for buffer, saved in changed:
            buffer.copy_(saved)
    if changed:
        return "the model counts or averages over its batches"
    if (together - alone).norm() > _TOLERANCE * together.norm():
        return "an image's answer depends on the others in it"
    return None

"""How images lie in memory while a model is trained."""

from __future__ import annotations

import torch

# Channels of which oneDNN takes this many at a time.
_CHANNEL_BLOCK = 16


def training_memory_format(
    module: torch.nn.Module, device: torch.device, images: int, batch_size: int
) -> torch.memory_format:
    """Channels last, which makes convolutions faster, wherever that is safe.

    On CPUs with AVX-512, oneDNN 3's gradient of the weights of a 1x1 convolution with a stride
    writes beyond its memory if channels come last, their number is no multiple of 16, and the batch
    is odd: the process dies, or worse, goes on. Models with such a convolution, as the shortcuts of
    narrow residual networks are, keep contiguous images where batches are odd. Other gradients are
    not affected.

    Args:
        images: how many there are in an epoch; the last batch holds what is left.
    """
    if device.type == "cuda":
        return torch.channels_last
    odd = any(size % 2 for size in (batch_size, images % batch_size))
    safe = device.type == "cpu" and not (odd and any(map(_is_unsafe, module.modules())))
    return torch.channels_last if safe else torch.contiguous_format


def _is_unsafe(module: torch.nn.Module) -> bool:
    return (
        isinstance(module, torch.nn.Conv2d)
        and module.kernel_size == (1, 1)
        and module.stride != (1, 1)
        and module.in_channels % _CHANNEL_BLOCK != 0
    )

"""The resizing that detectron2's predictor does, on pictures and on their components.

``DefaultPredictor`` resizes pictures of whole levels 0..255 by Pillow's bilinear filter, which
rounds to whole levels after one direction and again after the other. Here the same arithmetic
works on any values: originals get Pillow's result bit by bit, and components, which may be
negative, go the same way, rounded to whole levels as well, but are not clipped.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor

from hfcbench.errors import NodeError

_PRECISION = 2**22
"""Pillow's weights are whole multiples of its inverse."""
_FINENESS = 2**10
"""Parts of a level that are told apart, so that 8-bit pictures divided by 255 are exact again."""

# Random pictures hardly ever come out alike both ways, except for the smallest ones.
_PROBES = 8


def to_levels(images: Tensor) -> Tensor:
    """Images of 0..1 in levels of 0..255, float64, to a 1,024th of a level.

    Args:
        images: ``(...,H,W)`` float32; values k/255 become exactly k.
    """
    if images.device.type == "mps":
        images = images.cpu()  # it has no float64
    return torch.round(images.double() * (255 * _FINENESS)) / _FINENESS


def resize(levels: Tensor, height: int, width: int) -> Tensor:
    """Bilinear, with a wider filter where images shrink, rounded as by Pillow.

    Every sum is exact in float64 for levels of up to 2**15 in multiples of 2**-10.

    Args:
        levels: ``(...,H,W)`` float64.

    Returns:
        ``(...,height,width)`` float64, whole levels unless nothing is resized.

    Raises:
        NodeError: the installed Pillow does something else.

    Source: Pillow, ``src/libImaging/Resample.c``.
    """
    old_height, old_width = levels.shape[-2:]
    across = None if width == old_width else _weights(old_width, width).to(levels.device)
    down = None if height == old_height else _weights(old_height, height).to(levels.device)
    if across is not None and down is not None:
        if _down_first(old_height, old_width, height, width):
            return _across(_down(levels, down), across)
        return _down(_across(levels, across), down)
    if across is not None:
        return _across(levels, across)
    return levels if down is None else _down(levels, down)


def _across(levels: Tensor, weights: Tensor) -> Tensor:
    return _rounded(levels @ weights.T)


def _down(levels: Tensor, weights: Tensor) -> Tensor:
    return _rounded(weights @ levels)


def _rounded(sums: Tensor) -> Tensor:
    return torch.floor(sums / _PRECISION + 0.5)


@lru_cache(maxsize=256)
def _down_first(old_height: int, old_width: int, height: int, width: int) -> bool:
    """Which direction the installed Pillow begins with; its versions have their own rules.

    Raises:
        NodeError: its arithmetic is another.
    """
    columns = _spread(width)
    rows = _spread(height)
    across, down = _weights(old_width, width)[columns], _weights(old_height, height)[rows]
    across_first = down_first = True
    for seed in range(_PROBES):
        draw = np.random.default_rng(seed)
        pixels = draw.integers(0, 256, (old_height, old_width, 3), dtype=np.uint8)
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        expected = torch.from_numpy(np.array(resized)).permute(2, 0, 1).double()
        expected = expected[:, rows][:, :, columns]
        levels = torch.from_numpy(pixels).permute(2, 0, 1).double()
        across_first &= torch.equal(_down(_across(levels, across), down), expected)
        down_first &= torch.equal(_across(_down(levels, down), across), expected)
        if across_first != down_first:
            break
    if across_first or down_first:
        return down_first and not across_first
    raise NodeError(
        f"Pillow {PIL.__version__} resizes {old_height}x{old_width} pixels to {height}x{width} "
        "in a way that this plugin does not know, so that components cannot go the same way",
        hint="install another version of Pillow, or an hfcbench-detectron2 that knows this one",
    )


def _spread(size: int) -> list[int]:
    """Up to 64 pixels from the first to the last."""
    count = min(size, 64)
    return [round(number * (size - 1) / max(count - 1, 1)) for number in range(count)]


@lru_cache(maxsize=16)
def _weights(size: int, new_size: int) -> Tensor:
    """What each of ``size`` pixels gives to each new one: ``(new_size,size)``, whole numbers."""
    scale = size / new_size
    support = max(scale, 1.0)
    weights = torch.zeros(new_size, size, dtype=torch.float64)
    for new in range(new_size):
        centre = (new + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), size)
        shares = [
            max(1.0 - abs((pixel - centre + 0.5) * (1.0 / support)), 0.0)
            for pixel in range(first, last)
        ]
        total = sum(shares)
        for pixel, share in zip(range(first, last), shares, strict=True):
            weights[new, pixel] = int(share / total * _PRECISION + 0.5)
    return weights

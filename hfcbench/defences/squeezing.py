"""Taking detail out of images: fewer levels, medians, means of similar patches."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def reduce_bits(images: Tensor, bits: int) -> Tensor:
    """Each value rounded to the nearest of ``2**bits`` levels from 0 to 1, halves to even ones.

    Args:
        images: ``(N,C,H,W)`` floating point in [0,1].
        bits: at least 1.

    Returns:
        ``(N,C,H,W)``; its gradient is zero.

    Source: Xu, Evans, Qi 2018, section III.A.
    """
    most = 2**bits - 1
    return images.mul(most).round().div(most)


def median_filter(images: Tensor, size: int) -> Tensor:
    """The median of a square window around each pixel, per channel.

    Windows of an even size reach one pixel further up and left, and of the two values in the middle
    the larger one counts. Images go on beyond their border mirrored, the border itself repeated.

    Args:
        images: ``(N,C,H,W)`` floating point.
        size: of the window in pixels, at least 1.

    Returns:
        ``(N,C,H,W)``; the gradient of a value belongs to the pixel that it was taken from.

    Source: Xu, Evans, Qi 2018, section III.B.
    """
    height, width = images.shape[2:]
    before = size // 2
    padded = _padded(images, (before, size - 1 - before), "symmetric")
    windows = torch.stack(
        [
            padded[..., down : down + height, right : right + width]
            for down in range(size)
            for right in range(size)
        ]
    )  # (size*size,N,C,H,W)
    # Unlike medians, a stable sort picks the same one of equal values on every device.
    return windows.sort(dim=0, stable=True).values[len(windows) // 2]


def non_local_means(images: Tensor, strength: float, search: int, patch: int) -> Tensor:
    """The mean of the pixels around each pixel, weighted by how alike their surroundings are.

    The weight of a pixel is ``exp(-d / strength**2)``, where ``d`` is the mean squared difference
    of the square patches around both pixels, over all channels. Images go on beyond their border
    mirrored, the border itself not repeated.

    Args:
        images: ``(N,C,H,W)`` floating point in [0,1].
        strength: in pixel units of [0,1], > 0.
        search: size of the square window of pixels that are averaged, odd.
        patch: size of the patches that are compared, odd.

    Returns:
        ``(N,C,H,W)``, differentiable.

    Source: Buades, Coll, Morel 2005, as Xu, Evans, Qi 2018 use it. Deviations: they call OpenCV,
    which rounds to 8 bits and denoises lightness and colours apart.
    """
    reach, half = search // 2, patch // 2
    height, width = (size + 2 * half for size in images.shape[2:])
    padded = _padded(images, (reach + half, reach + half), "reflect")
    centre = padded[..., reach : reach + height, reach : reach + width]
    total, weights = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for down in range(search):
        arguments = (centre, padded[..., down : down + height, :], patch, strength)
        if torch.is_grad_enabled() and padded.requires_grad:
            # The graphs of all rows would not fit: each is made again for its gradient.
            sums, row_weights = checkpoint(_row_sums, *arguments, use_reentrant=False)
        else:
            sums, row_weights = _row_sums(*arguments)
        total, weights = total + sums, weights + row_weights
    return total / weights


def _row_sums(centre: Tensor, row: Tensor, patch: int, strength: float) -> tuple[Tensor, Tensor]:
    """Weighted sums ``(N,C,H,W)`` over one row of the search window, and their weights' sums.

    Args:
        centre: the images with half a patch around.
        row: the same rows further up or down, and as wide as the search window wants.
    """
    half, width = patch // 2, centre.shape[-1]
    inside = slice(half, -half or None)
    total = weights = torch.zeros((), device=row.device)
    for right in range(row.shape[-1] - width + 1):
        other = row[..., right : right + width]
        squares = (centre - other).square().mean(1, keepdim=True)
        distance = F.avg_pool2d(squares, patch, stride=1)  # (N,1,H,W)
        weight = torch.exp(-distance / strength**2)
        total = total + weight * other[..., inside, inside]
        weights = weights + weight
    return total, weights


def _padded(
    images: Tensor, around: tuple[int, int], mode: Literal["symmetric", "reflect"]
) -> Tensor:
    """Images with so many pixels more before and after in both directions, as numpy.pad does."""
    rows, columns = (
        torch.from_numpy(np.pad(np.arange(size), around, mode=mode)).to(images.device)
        for size in images.shape[2:]
    )
    return images[..., rows[:, None], columns]

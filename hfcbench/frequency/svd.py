"""The split by singular values instead of frequencies (paper, section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hfcbench.errors import SpecificationError
from hfcbench.frequency.batches import Parts, check_images, chunks

# Of two singular values as a share of the largest: closer ones differ by rounding alone.
_SMALLEST_GAP = 1e-6


def split_svd(images: Tensor, ranks: Sequence[int]) -> list[Parts]:
    """Split each channel, as a matrix ``(H,W)``, at each rank of its singular values.

    Args:
        images: ``(N,C,H,W)`` floating point on any device; other than float32 is computed in
            float32. Not modified.
        ranks: how many of the largest singular values the low part keeps, each >= 0. From
            ``min(H,W)`` on it keeps all.

    Returns:
        For each rank the low and the high part, ``(N,C,H,W)`` float32. One decomposition serves all
        ranks. Differentiable where the singular values on both sides of the cut differ; close to
        where they do not, gradients are large, but never infinite.

    Guarantees: ``high`` is the float32 difference ``images - low``; rank 0 and full rank are exact.
    Where the singular values on both sides of the cut are equal, the low part is one of several
    best approximations.

    Raises:
        SpecificationError: integer images, a wrong shape, or a rank that is no integer >= 0.

    Source: paper, section 8.
    """
    check_images(images)
    for rank in ranks:
        if rank != int(rank) or rank < 0:
            raise SpecificationError(f"a rank is an integer of at least 0, not {rank}")
    collected: list[tuple[list[Tensor], list[Tensor]]] = [([], []) for _ in ranks]
    # Mixed precision is for networks: here it would break the promised accuracy.
    with torch.autocast(images.device.type, enabled=False):
        for chunk in chunks(images):
            pixels = images[chunk].float()
            for low, (lows, highs) in zip(_LowParts.apply(pixels, ranks), collected, strict=True):
                lows.append(low)
                highs.append(pixels - low)
    return [(_joined(lows, images), _joined(highs, images)) for lows, highs in collected]


class _LowParts(torch.autograd.Function):
    """The low part for each rank.

    Automatic differentiation goes through the singular vectors, which have no derivative wherever
    any two singular values are equal, as in every image with a flat area. The low part has: it is
    ``U diag(f) V'`` with ``f`` the kept singular values and 0, and only the cut between them shows
    in its derivative (Ding, Sun, Sun, Toh 2018, "Spectral operators of matrices").
    """

    @staticmethod
    def forward(context: Any, pixels: Tensor, ranks: Sequence[int]) -> tuple[Tensor, ...]:
        left, values, right = torch.linalg.svd(pixels, full_matrices=False)
        context.save_for_backward(left, values, right)
        context.ranks = ranks
        return tuple(_low_part(pixels, left, values, right, int(rank)) for rank in ranks)

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        factors = context.saved_tensors
        passed = [
            _passed_back(gradient, factors, int(rank))
            for gradient, rank in zip(gradients, context.ranks, strict=True)
        ]
        return torch.stack(passed).sum(0), None


def _low_part(pixels: Tensor, left: Tensor, values: Tensor, right: Tensor, rank: int) -> Tensor:
    if rank >= values.shape[-1]:
        return pixels.clone()
    return (left[..., :rank] * values[..., None, :rank]) @ right[..., :rank, :]


def _passed_back(gradient: Tensor, factors: Sequence[Tensor], rank: int) -> Tensor:
    """The low part's derivative, which is its own transpose, times a gradient ``(...,H,W)``."""
    left, values, right = factors
    if rank >= values.shape[-1]:
        return gradient
    kept_left, kept_right = left[..., :rank], right[..., :rank, :]  # (...,H,r), (...,r,W)
    rest_left, rest_right = left[..., rank:], right[..., rank:, :]
    # What lies in the kept rows or the kept columns passes ...
    from_left = kept_left.mT @ gradient  # (...,r,W)
    from_right = gradient @ kept_right.mT  # (...,H,r)
    inside = from_left @ kept_right.mT  # (...,r,r)
    passed = kept_left @ from_left + (from_right - kept_left @ inside) @ kept_right
    # ... and where kept meets dropped, the singular vectors turn into each other.
    upper = from_left @ rest_right.mT  # (...,r,m-r)
    lower = (rest_left.mT @ from_right).mT
    kept, rest = values[..., :rank, None], values[..., None, rank:]
    smallest = _SMALLEST_GAP * values[..., :1, None] + torch.finfo(values.dtype).tiny
    even = kept / (kept - rest).maximum(smallest) * (upper + lower) / 2
    odd = kept / (kept + rest).maximum(smallest) * (upper - lower) / 2
    passed = passed + kept_left @ (even + odd - upper) @ rest_right
    return passed + rest_left @ (even - odd - lower).mT @ kept_right


def _joined(pieces: list[Tensor], images: Tensor) -> Tensor:
    return torch.cat(pieces) if pieces else torch.empty_like(images, dtype=torch.float32)

"""The split by singular values instead of frequencies (paper, section 8)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hfcbench.errors import SpecificationError
from hfcbench.frequency.batches import Parts, check_images, chunks


def split_svd(images: Tensor, ranks: Sequence[int]) -> list[Parts]:
    """Split each channel, as a matrix ``(H,W)``, at each rank of its singular values.

    Args:
        images: ``(N,C,H,W)`` floating point on any device; other than float32 is computed in
            float32. Not modified.
        ranks: how many of the largest singular values the low part keeps, each >= 0. From
            ``min(H,W)`` on it keeps all.

    Returns:
        For each rank the low and the high part, ``(N,C,H,W)`` float32. One decomposition serves all
        ranks. Differentiable where singular values are distinct.

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
            for low, (lows, highs) in zip(_low_parts(pixels, ranks), collected, strict=True):
                lows.append(low)
                highs.append(pixels - low)
    return [(_joined(lows, images), _joined(highs, images)) for lows, highs in collected]


def _low_parts(pixels: Tensor, ranks: Sequence[int]) -> list[Tensor]:
    left, values, right = torch.linalg.svd(pixels, full_matrices=False)
    full = values.shape[-1]
    lows = []
    for rank in ranks:
        kept = int(rank)
        if kept >= full:
            lows.append(pixels.clone())
        else:
            lows.append((left[..., :kept] * values[..., None, :kept]) @ right[..., :kept, :])
    return lows


def _joined(pieces: list[Tensor], images: Tensor) -> Tensor:
    return torch.cat(pieces) if pieces else torch.empty_like(images, dtype=torch.float32)

"""Splitting images by masks over their spectrum: one forward transform for many masks.

The definition (paper, section 3), for each channel ``x`` and mask ``M``: shift ``Z = F(x)`` so that
DC is central, multiply by ``M``, shift back, transform back and drop the imaginary part.

Why half a spectrum is enough: ``x`` is real, so ``Z(-k)`` is the conjugate of ``Z(k)``, indices
taken modulo the size. With ``y = F^-1(M Z)`` the conjugate of ``y`` is then ``F^-1(M' Z)``, where
``M'(k) = M(-k)``, and the real part of ``y`` is ``F^-1((M + M') / 2 * Z)``: dropping the imaginary
part is the same as averaging the mask with its mirror image, after which nothing imaginary is left
and the half spectrum of a real transform holds everything. For an even size the Nyquist frequency
``-size / 2`` is its own mirror image along that axis, in the other axis it is not; the average
does the right thing for both. Masks that depend only on distances to DC equal their mirror image
for every size, so that for them the average changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.errors import SpecificationError
from hfcbench.frequency.batches import Parts, allocate, check_images, check_outputs, chunks

Mask = NDArray[np.bool_] | NDArray[np.float64]

# Up to this many columns a product with a cosine table beats a real FFT on a CPU, for 32 as for
# 224 pixels: its cost per pixel grows with the number of columns, the FFT's hardly changes.
_MOST_COLUMNS_BY_PRODUCT = 48


@dataclass(frozen=True)
class _Filter:
    """A mask, ready to be applied to half spectra.

    Attributes:
        weights: ``(H,K)`` float32, unshifted; only the first K columns hold anything but zeros.
        table: ``(2K,W)`` float32, the inverse real transform along W as a matrix, or None.
        keeps_all: every weight is 1.
    """

    weights: Tensor
    table: Tensor | None
    keeps_all: bool

    @property
    def columns(self) -> int:
        return self.weights.shape[1]


def split_by_masks(
    images: Tensor, masks: Sequence[Mask], *, out: Sequence[Parts] | None = None
) -> list[Parts]:
    """Split images by each mask into what it keeps and the rest, per channel.

    Args:
        images: ``(N,C,H,W)`` floating point on any device; other than float32 is computed in
            float32. Not modified.
        masks: ``(H,W)`` weights in the layout of :mod:`hfcbench.frequency.masks`.
        out: outputs to write to instead of new ones, contiguous float32 like the images.

    Returns:
        For each mask the low and the high part, ``(N,C,H,W)`` float32, in the images' value range
        and partly negative. Differentiable where the images ask for gradients, which changes no
        value.

    Guarantees: ``high`` is the float32 difference ``images - low``; ``low`` is within 1e-5 of the
    definition for images in [0,1]; masks of only zeros or only ones give exact parts. No image
    influences another's parts.

    Raises:
        SpecificationError: integer images, shapes that do not fit, or ``out`` together with
            images that ask for gradients.

    Source: paper, section 3.
    """
    check_images(images)
    height, width = images.shape[2:]
    filters = [_filter(mask, height, width, images.device) for mask in masks]
    if filters and images.requires_grad and torch.is_grad_enabled():
        if out is not None:
            raise SpecificationError("gradients cannot flow through outputs given as 'out'")
        flat = _Split.apply(images.float(), filters)
        return list(zip(flat[::2], flat[1::2], strict=True))
    if out is not None:
        check_outputs(out, images, len(masks))
    parts = allocate(images, len(masks)) if out is None else list(out)
    with torch.no_grad():
        _write_parts(images, filters, parts)
    return parts


class _Split(torch.autograd.Function):
    """Low and high part by each filter, with gradients.

    A low part is a real symmetric matrix times the image, so that gradients are filtered as images
    are; and attacks see exactly the values that everybody sees.
    """

    @staticmethod
    def forward(context: Any, images: Tensor, filters: Sequence[_Filter]) -> tuple[Tensor, ...]:
        context.filters = filters
        parts = allocate(images, len(filters))
        _write_parts(images, filters, parts)
        return tuple(part for pair in parts for part in pair)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = torch.zeros_like(gradients[0])
        for kept, low, high in zip(context.filters, gradients[::2], gradients[1::2], strict=True):
            filtered, _ = _Split.apply(low - high, (kept,))
            total = total + filtered + high
        return total, None


def _write_parts(images: Tensor, filters: Sequence[_Filter], parts: Sequence[Parts]) -> None:
    workspace = torch.empty(0, dtype=torch.complex64, device=images.device)
    for chunk in chunks(images):
        pixels = images[chunk].float()
        spectrum = torch.fft.rfft2(pixels)  # (n,C,H,W//2+1)
        for kept, (low, high) in zip(filters, parts, strict=True):
            _write_low(kept, pixels, spectrum, low[chunk], workspace)
            torch.sub(pixels, low[chunk], out=high[chunk])


def _write_low(
    kept: _Filter, pixels: Tensor, spectrum: Tensor, low: Tensor, workspace: Tensor
) -> None:
    """Write to ``low`` the inverse transform of what a filter keeps of ``spectrum``."""
    if kept.columns == 0:
        low.zero_()
        return
    if kept.keeps_all:
        low.copy_(pixels)
        return
    *batch, width = low.shape
    # Reusing memory matters: fresh pages for every product cost as much as the product.
    size = math.prod(batch) * kept.columns
    if workspace.numel() < size:
        workspace.resize_(size)
    masked = workspace[:size].view(*batch, kept.columns)
    torch.mul(spectrum[..., : kept.columns], kept.weights, out=masked)
    columns = torch.fft.ifft(masked, dim=-2)  # (n,C,H,K)
    if kept.table is None:
        torch.fft.irfft(columns, n=width, dim=-1, out=low)
        return
    masked.copy_(columns)
    rows = torch.view_as_real(masked).view(-1, 2 * kept.columns)  # (n*C*H,2K)
    torch.mm(rows, kept.table, out=low.view(-1, width))


def _filter(mask: Mask, height: int, width: int, device: torch.device) -> _Filter:
    if mask.shape != (height, width):
        raise SpecificationError(f"a mask of shape {mask.shape} does not fit {height}x{width}")
    unshifted = np.fft.ifftshift(mask).astype(np.float64)
    mirrored = np.roll(np.flip(unshifted), 1, axis=(0, 1))
    half = ((unshifted + mirrored) / 2)[:, : width // 2 + 1].astype(np.float32)
    columns = int(np.max(np.flatnonzero(half.any(axis=0)), initial=-1)) + 1
    by_product = columns <= _MOST_COLUMNS_BY_PRODUCT and _products_are_exact(device)
    return _Filter(
        weights=torch.from_numpy(np.ascontiguousarray(half[:, :columns])).to(device),
        table=torch.from_numpy(_inverse_table(columns, width)).to(device) if by_product else None,
        keeps_all=bool((half == 1).all()),
    )


def _products_are_exact(device: torch.device) -> bool:
    """Whether float32 products are computed in float32: users may allow bfloat16 for speed."""
    # Not every supported torch has this setting; without it there is nothing to allow.
    setting = getattr(torch.backends.mkldnn, "matmul", None)
    return device.type == "cpu" and getattr(setting, "fp32_precision", "none") in ("none", "ieee")


def _inverse_table(columns: int, width: int) -> NDArray[np.float32]:
    """The matrix ``(2K,W)`` that turns K complex columns, as (re, im) pairs, into W real pixels.

    Every column but DC and Nyquist stands for itself and its mirror image, hence the factor 2.
    """
    frequencies = np.arange(columns)
    # Reduced in integers, the angles lose nothing at large sizes.
    angles = 2 * np.pi / width * (np.outer(frequencies, np.arange(width)) % width)
    own_mirror = (frequencies == 0) | (2 * frequencies == width)
    scale = np.where(own_mirror, 1, 2)[:, None] / width
    pairs = np.stack([scale * np.cos(angles), -scale * np.sin(angles)], axis=1)
    return pairs.reshape(2 * columns, width).astype(np.float32)

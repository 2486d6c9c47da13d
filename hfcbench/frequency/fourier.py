"""The Fourier splits by name: images and where to cut, to low and high parts.

All of them take ``(N,C,H,W)`` floating-point images of any size on any device, transform them once
for all cuts, and keep the promises of :func:`hfcbench.frequency.masking.split_by_masks`: float32
parts with ``high = images - low``.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from hfcbench.frequency.batches import Parts, check_images
from hfcbench.frequency.masking import split_by_masks
from hfcbench.frequency.masks import band_mask, gaussian_mask, radial_mask, square_mask


def split_radial(
    images: Tensor, radii: Sequence[float], *, out: Sequence[Parts] | None = None
) -> list[Parts]:
    """LFC and HFC: frequencies closer to DC than each radius, and the others.

    Args:
        images: ``(N,C,H,W)`` floating point in [0,1].
        radii: in frequency bins, each >= 0; the comparison is strict.
        out: pairs to write to instead of new ones.

    Returns:
        ``(lfc, hfc)`` for each radius in the given order, ``(N,C,H,W)`` float32.

    Raises:
        SpecificationError: integer images, a wrong shape, or a radius that is not a number >= 0.

    Source: paper, section 3.
    """
    height, width = _size(images)
    masks = [radial_mask(height, width, radius) for radius in radii]
    return split_by_masks(images, masks, out=out)


def split_square(
    images: Tensor, radii: Sequence[float], *, out: Sequence[Parts] | None = None
) -> list[Parts]:
    """As :func:`split_radial` with a square: the larger of the two axes' distances counts."""
    height, width = _size(images)
    masks = [square_mask(height, width, radius) for radius in radii]
    return split_by_masks(images, masks, out=out)


def split_gaussian(
    images: Tensor, sigmas: Sequence[float], *, out: Sequence[Parts] | None = None
) -> list[Parts]:
    """As :func:`split_radial` with a soft edge: weights ``exp(-d^2 / (2 sigma^2))``, sigma > 0."""
    height, width = _size(images)
    masks = [gaussian_mask(height, width, sigma) for sigma in sigmas]
    return split_by_masks(images, masks, out=out)


def split_bands(
    images: Tensor,
    rings: Sequence[tuple[float, float]],
    *,
    out: Sequence[Parts] | None = None,
) -> list[Parts]:
    """As :func:`split_radial` with rings: ``inner <= distance < outer``, and all the rest."""
    height, width = _size(images)
    masks = [band_mask(height, width, inner, outer) for inner, outer in rings]
    return split_by_masks(images, masks, out=out)


def _size(images: Tensor) -> tuple[int, int]:
    check_images(images)
    return images.shape[2], images.shape[3]

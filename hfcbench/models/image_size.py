"""The smallest image that an architecture takes."""

from __future__ import annotations

from hfcbench.errors import SpecificationError
from hfcbench.types import ImageShape


def check_image_size(model: str, shape: ImageShape, smallest: int) -> None:
    """Raise SpecificationError for images with fewer than ``smallest`` rows or columns.

    The built-in models draw the line where their last convolution would see less than 2x2
    positions: below it they would shrink the image to nothing, or convolve padding only.
    """
    if min(shape.height, shape.width) < smallest:
        raise SpecificationError(
            f"model '{model}' takes images from {smallest}x{smallest} pixels, "
            f"not {shape.height}x{shape.width}"
        )

"""Reading and checking where a decomposition cuts."""

from __future__ import annotations

import math

from hfcbench.errors import SpecificationError
from hfcbench.types import Cutoff, ImageShape


def parse_number(text: str, what: str) -> float:
    """The positive number in a component name such as ``lfc@8``.

    Raises:
        SpecificationError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise SpecificationError(f"the {what} must be a number above 0, not '{text}'")
    return value


def single(cutoff: Cutoff) -> float:
    """The cutoff of a decomposition that takes one number.

    Raises:
        SpecificationError: it is a pair.
    """
    if isinstance(cutoff, tuple):
        raise SpecificationError(f"one number is needed, not the pair {cutoff}")
    return cutoff


def check_radius(radius: float, farthest: float, shape: ImageShape) -> None:
    """Raise SpecificationError if no frequency of such images lies beyond the radius."""
    if radius > farthest:
        raise SpecificationError(
            f"no frequency of {shape.height}x{shape.width} images lies beyond radius {radius:g}; "
            f"the largest one that splits them is {farthest:g}"
        )


def corner_distance(shape: ImageShape) -> float:
    """Euclidean distance of the highest frequency to the DC term, in bins."""
    return math.hypot(shape.height // 2, shape.width // 2)

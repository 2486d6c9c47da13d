"""Pareto fronts: what no other point beats."""

from __future__ import annotations

import math
from collections.abc import Sequence

_DIGITS = 12
"""Means of equal numbers differ in their last bits; ties must not."""


def pareto_front(points: Sequence[tuple[float, ...]]) -> list[bool]:
    """Of each point, whether no other is at least as high in everything and higher in something.

    Equal points are on the front together or not at all; numbers are equal that agree to twelve
    decimals. A point with a coordinate that is NaN or infinite is not on the front and beats none.

    Args:
        points: all of the same number of coordinates; more of each is better.
    """
    rounded = [tuple(round(value, _DIGITS) for value in point) for point in points]
    finite = {point for point in rounded if all(map(math.isfinite, point))}
    front: list[tuple[float, ...]] = []
    # From the highest down whatever beats a point comes before it; and if any point beats it, one
    # of the front does.
    for point in sorted(finite, reverse=True):
        if not any(_at_least(other, point) for other in front):
            front.append(point)
    on_front = set(front)
    return [point in on_front for point in rounded]


def _at_least(other: tuple[float, ...], point: tuple[float, ...]) -> bool:
    return all(x >= a for x, a in zip(other, point, strict=True))

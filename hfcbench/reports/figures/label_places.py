"""Where the labels of boxes go, so that they do not lie upon each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 12
"""How many heights of a label it may move away from its box."""

Place = tuple[float, float]


def place_labels(
    boxes: NDArray[np.float32], sizes: Sequence[tuple[float, float]], width: float, height: float
) -> list[Place]:
    """Left and top edge of each label, inside of the picture; the first ones have the choice.

    A label goes to a corner of its box, outside or inside, where no earlier one lies; if there is
    no such corner, some lines up or down; and if there is no room at all, where it covers least.

    Args:
        boxes: ``(D,4)`` left, top, right and bottom edge.
        sizes: width and height of the labels, in the picture's pixels.
        width, height: of the picture.
    """
    placed: list[tuple[float, float, float, float]] = []
    for box, (wide, high) in zip(boxes.tolist(), sizes, strict=True):
        best = (np.inf, (0.0, 0.0, wide, high))
        for x, y in _candidates(box, wide, high):
            left = min(max(x, 0.0), max(width - wide, 0.0))
            top = min(max(y, 0.0), max(height - high, 0.0))
            label = (left, top, left + wide, top + high)
            covered = sum(_overlap(label, other) for other in placed)
            if covered < best[0]:
                best = (covered, label)
            if covered == 0:
                break
        placed.append(best[1])
    return [(label[0], label[1]) for label in placed]


def _candidates(box: list[float], wide: float, high: float) -> Iterator[Place]:
    left, top, right, bottom = box
    for x in (left, right - wide):
        yield from ((x, top - high), (x, top), (x, bottom), (x, bottom - high))
    for step in range(1, _STEPS):
        for x in (left, right - wide):
            yield x, top - high - step * high
            yield x, top + step * high


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)

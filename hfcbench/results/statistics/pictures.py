"""Detections picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def different_pictures(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]], names: Sequence[str]
) -> int:
    """In how many of N pictures two detectors found something else; NaN equals NaN.

    Args:
        first, second: ``counts`` ``(N,)``, detections of each picture, those in the first picture
            first; and by name what is compared of these D detections, ``(D,)`` or ``(D,...)``.
        names: of what is compared.
    """
    import numpy as np

    same = first["counts"] == second["counts"]
    differs = ~same
    pictures = np.repeat(np.arange(len(same)), np.where(same, first["counts"], 0))
    # Only pictures with as many detections in both, whose rows then lie side by side.
    kept = [np.repeat(same, found["counts"]) for found in (first, second)]
    for name in names:
        one, other = first[name][kept[0]], second[name][kept[1]]
        unequal = (one != other) & ~((one != one) & (other != other))
        rows = unequal.any(axis=tuple(range(1, unequal.ndim)))
        differs[pictures[rows]] = True
    return int(differs.sum())

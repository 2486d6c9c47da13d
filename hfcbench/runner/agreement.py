"""Stored numbers beside those that were computed again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.quantities import Quantity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hfcbench.results.records import ScoreRecord


@dataclass(frozen=True)
class Check:
    """A stored score or quantity beside the recomputed one.

    Attributes:
        name: of the metric or the quantity.
        said: the two in words, and how far they are apart.
        difference: the largest absolute one between any two of their numbers; infinite where there
            is nothing to hold against each other.
    """

    name: str
    said: str
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance


def score_checks(
    stored: Sequence[Mapping[str, Any]], recomputed: Sequence[ScoreRecord], tolerance: float
) -> tuple[Check, ...]:
    """A check for each stored score whose metric is there in its version."""
    again = {(item.metric, item.metric_version): item.score.value for item in recomputed}
    checks = []
    for row in stored:
        if (row["metric"], row["version"]) in again:
            value = again[row["metric"], row["version"]]
            apart = largest_difference(row["value"], value)
            said = _said(f"{row['value']:.6f}", f"{value:.6f}", apart)
            checks.append(Check(row["metric"], said, apart, tolerance))
    return tuple(checks)


def quantity_checks(
    stored: Sequence[Quantity], recomputed: Sequence[Quantity], tolerance: float
) -> tuple[Check, ...]:
    """A check for each quantity that was stored or is found now.

    Values and the ends of intervals are held against each other; what was recomputed counts as it
    would be stored, in float32 where it is an array.
    """
    before = {item.name: item for item in stored}
    again = {item.name: item for item in recomputed}
    return tuple(
        _quantity_check(name, before.get(name), again.get(name), tolerance)
        for name in {**before, **again}
    )


def largest_difference(stored: ArrayLike, recomputed: ArrayLike) -> float:
    """The largest absolute difference of numbers of one shape; NaN equals NaN and nothing else."""
    import numpy as np

    one, other = (np.asarray(item, dtype=np.float64) for item in (stored, recomputed))
    unequal = (one != other) & ~(np.isnan(one) & np.isnan(other))
    apart = np.abs(one[unequal] - other[unequal])
    return float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0))


def _quantity_check(
    name: str, stored: Quantity | None, recomputed: Quantity | None, tolerance: float
) -> Check:
    if stored is None or recomputed is None:
        said = "found now and not stored" if stored is None else "stored and not found again"
        return Check(name, said, math.inf, tolerance)
    changed = [
        what for what in ("unit", "axes", "n") if getattr(stored, what) != getattr(recomputed, what)
    ]
    if changed:
        return Check(name, f"stored with other {', '.join(changed)}", math.inf, tolerance)
    apart = max(
        largest_difference(_kept(stored, end), _kept(recomputed, end))
        for end in ("values", "low", "high")
    )
    if not stored.axes:
        return Check(name, _said(_number(stored), _number(recomputed), apart), apart, tolerance)
    size = " x ".join(str(len(axis.values)) for axis in stored.axes)
    return Check(name, f"{size} values, largest difference {apart:.2g}", apart, tolerance)


def _kept(quantity: Quantity, end: str) -> NDArray[Any]:
    """Values or bounds as the database keeps them; NaN where there are no bounds."""
    import numpy as np

    numbers = getattr(quantity, end)
    if numbers is None:
        return np.full(np.shape(quantity.values), np.nan)
    array = np.asarray(numbers)
    return array.astype(np.float32) if quantity.axes and array.dtype != np.uint8 else array


def _number(quantity: Quantity) -> str:
    value = f"{float(quantity.values):.6f}"
    if quantity.low is None or quantity.high is None:
        return value
    return f"{value} [{float(quantity.low):.6f}, {float(quantity.high):.6f}]"


def _said(stored: str, recomputed: str, difference: float) -> str:
    return f"stored {stored}, recomputed {recomputed}, difference {difference:.2g}"

"""Values with 95% intervals: over seeds where there are several, else over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.results.statistics.intervals import CONFIDENCE, half_width

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

ESTIMATE = ("value", "low", "high", "seeds", "n")


def summarise(frame: DataFrame, by: Sequence[str], *, proportions: bool = True) -> DataFrame:
    """The mean of each group with its 95% interval.

    Args:
        frame: rows with ``seed``, ``value``, ``n`` and, of scores, ``low`` and ``high``.
        by: columns that make a group; within one, rows of the same seed are averaged first.
        proportions: whether values are shares of ``n`` images, in [0,1].

    Returns:
        ``by`` and ``value``, ``low``, ``high``, ``seeds``, ``n`` (images per seed, the fewest),
        in order of appearance. With several seeds the interval is Student's t of their mean; of
        proportions it is cut off at 0 and 1. With one seed it is the score's own, or else
        Wilson's from ``n``; NaN of what is no proportion.
    """
    bounds = [name for name in ("low", "high") if name in frame]
    means: dict[str, Any] = {name: (name, "mean") for name in ("value", *bounds)}
    grouping: dict[str, Any] = {"sort": False, "dropna": False, "as_index": False}
    per_seed = frame.groupby([*by, "seed"], **grouping).agg(**means, n=("n", "min"))
    found = per_seed.groupby(list(by), **grouping).agg(
        **means, spread=("value", "std"), seeds=("seed", "nunique"), n=("n", "min")
    )
    value = found["value"].to_numpy(float)
    low, high = wilson_bounds(value, found["n"].to_numpy() if proportions else 0 * value)
    if bounds:
        own = found["low"].notna() & found["high"].notna()
        low, high = np.where(own, found["low"], low), np.where(own, found["high"], high)
    several = (found["seeds"] > 1).to_numpy()
    half = half_width(found["spread"].to_numpy(float), found["seeds"].to_numpy())
    least, most = (0.0, 1.0) if proportions else (-np.inf, np.inf)
    found["low"] = np.where(several, np.clip(value - half, least, None), low)
    found["high"] = np.where(several, np.clip(value + half, None, most), high)
    wanted: DataFrame = found[[*by, *ESTIMATE]]
    return wanted


def wilson_bounds(values: NDArray[Any], n: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Wilson's intervals of proportions of ``n`` images; NaN where there are none."""
    from statsmodels.stats.proportion import proportion_confint

    known = (n > 0) & np.isfinite(values)
    images = np.where(known, n, 1)
    correct = np.where(known, np.rint(np.nan_to_num(values) * images), 0)
    low, high = proportion_confint(correct, images, alpha=1 - CONFIDENCE, method="wilson")
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def difference(first: DataFrame, second: DataFrame) -> tuple[float, float, float]:
    """First minus second mean proportion, with its 95% interval.

    Args:
        first, second: rows of one group each, with ``seed``, ``value`` and ``n``, of different
            images.

    Returns:
        The difference and its bounds: Student's t of the differences of each seed where several
        seeds are in both, else the hybrid score interval (Newcombe, 1998, method 10).
    """
    both = first.merge(second, on="seed", suffixes=("_first", "_second"))
    if both.empty:
        return (np.nan, np.nan, np.nan)
    changes = (both["value_first"] - both["value_second"]).to_numpy(float)
    change = float(changes.mean())
    if len(both) > 1:
        half = float(half_width(changes.std(ddof=1, keepdims=True), np.array([len(both)]))[0])
        return change, change - half, change + half
    p1, p2 = both["value_first"].to_numpy(float), both["value_second"].to_numpy(float)
    low1, high1 = wilson_bounds(p1, both["n_first"].to_numpy())
    low2, high2 = wilson_bounds(p2, both["n_second"].to_numpy())
    below = np.hypot(p1 - low1, high2 - p2)
    above = np.hypot(high1 - p1, p2 - low2)
    return change, change - float(below[0]), change + float(above[0])

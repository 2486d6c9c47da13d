"""Intervals of one score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 9_999


@dataclass(frozen=True)
class Interval:
    """A confidence interval; NaN at both ends where there is none."""

    low: float
    high: float


NO_INTERVAL = Interval(math.nan, math.nan)


def wilson(correct: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a proportion (Wilson, 1927); ends in [0,1].

    Args:
        correct: number of images that count, 0 to ``n``.
        n: number of images; without any there is no interval.
    """
    from scipy.stats import binomtest

    if n == 0:
        return NO_INTERVAL
    found = binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def half_width(spread: NDArray[Any], count: NDArray[Any]) -> NDArray[Any]:
    """Half of Student's t interval of a mean: t(count - 1) * spread / sqrt(count); NaN for one.

    Args:
        spread: standard deviations of samples, with count - 1 in the denominator.
        count: their sizes.
    """
    import numpy as np
    from scipy.stats import t

    several = count > 1
    freedom = np.where(several, count - 1, 1)
    found = t.ppf((1 + CONFIDENCE) / 2, freedom) * spread / np.sqrt(count)
    return np.where(several, found, np.nan)


def bootstrap_interval(
    values: NDArray[Any],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a mean over images (Efron, 1979).

    For values that are 0 or 1 the resampled mean is drawn directly: the number of ones among n
    draws with replacement is binomial.

    Args:
        values: one finite number per image, shape ``(N,)``, or booleans.
        resamples: how many bootstrap samples.
        seed: of the resampling; equal seeds give equal intervals.
    """
    import numpy as np
    from scipy.stats import bootstrap

    numbers = np.asarray(values, dtype=np.float64)
    n = len(numbers)
    if n == 0 or not np.isfinite(numbers).all():
        return NO_INTERVAL
    if n == 1 or np.ptp(numbers) == 0:
        return Interval(float(numbers[0]), float(numbers[0]))
    generator = np.random.default_rng(seed)
    if np.isin(numbers, (0.0, 1.0)).all():
        means = generator.binomial(n, numbers.mean(), size=resamples) / n
        tail = (1 - confidence) / 2
        low, high = np.quantile(means, (tail, 1 - tail))
        return Interval(float(low), float(high))
    found = bootstrap(
        (numbers,),
        np.mean,
        n_resamples=resamples,
        # One sample of 50,000 images at a time is enough work to be fast.
        batch=max(1, 2_000_000 // n),
        confidence_level=confidence,
        method="percentile",
        rng=generator,
    ).confidence_interval
    return Interval(float(found.low), float(found.high))

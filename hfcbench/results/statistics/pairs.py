"""Two rows on the same images: the images that only one of them gets right decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.errors import UsageError
from hfcbench.results.statistics.intervals import CONFIDENCE, RESAMPLES, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT_BELOW = 25
"""With fewer discordant images the binomial test, from there on the chi-square approximation."""


@dataclass(frozen=True)
class PairedComparison:
    """How two rows differ in accuracy.

    Attributes:
        both, only_first, only_second, neither: numbers of images that are right in ...
        difference: accuracy of the first minus that of the second, in [-1,1].
        interval: of the difference, from a paired bootstrap over images.
        p_value: of McNemar's test that the two are equally accurate, two-sided.
        test: ``exact`` (binomial) or ``chi-square`` (with continuity correction).
    """

    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    difference: float
    interval: Interval
    p_value: float
    test: str


def compare_pair(
    first: NDArray[Any],
    second: NDArray[Any],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """Compare two rows image by image.

    McNemar's test (1947) looks at the discordant images only. The bootstrap resamples images, each
    with both answers: the four counts of a resample are multinomial, so they are drawn directly.

    Args:
        first: whether each image is right in the first row, shape ``(N,)``, bool.
        second: the same images in the second row.

    Raises:
        UsageError: the rows have different numbers of images, or none.
    """
    import numpy as np
    from statsmodels.stats.contingency_tables import mcnemar

    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise UsageError(
            f"rows of {first.shape} and {second.shape} images cannot be compared image by image"
        )
    one, other = first.astype(bool), second.astype(bool)
    counts = [
        int((left & right).sum())
        for left, right in ((one, other), (one, ~other), (~one, other), (~one, ~other))
    ]
    both, only_first, only_second, neither = counts
    exact = only_first + only_second < _EXACT_BELOW
    table = [[both, only_first], [only_second, neither]]
    p_value = float(mcnemar(table, exact=exact, correction=not exact).pvalue)
    n = len(one)
    draws = np.random.default_rng(seed).multinomial(n, np.array(counts) / n, size=resamples)
    differences = (draws[:, 1] - draws[:, 2]) / n
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, (tail, 1 - tail))
    return PairedComparison(
        n=n,
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=neither,
        difference=(only_first - only_second) / n,
        interval=Interval(float(low), float(high)),
        p_value=min(1.0, p_value),
        test="exact" if exact else "chi-square",
    )

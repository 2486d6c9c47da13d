"""How certain ranks are, given that other images might have been drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hfcbench.results.statistics.intervals import CONFIDENCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2_000
_BATCH = 250


def rank_intervals(
    values: NDArray[Any],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
    higher_is_better: bool = True,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Between which ranks each row lies, from a bootstrap over images (Goldstein and
    Spiegelhalter, 1996).

    Images are resampled for all rows at once, so what rows have in common does not blur their
    order. Of tied rows in a resample, the best rank that they share counts for the lower end and
    the worst for the upper one: rows with equal answers get the whole range that they share.

    Args:
        values: what each row scored on each image, shape ``(K,N)``; booleans for accuracy.
        higher_is_better: whether rank 1 is the largest mean.

    Returns:
        Lowest and highest rank of each row, shape ``(K,)`` each, integers in [1,K].
    """
    import numpy as np
    from scipy.stats import rankdata

    scores = np.asarray(values, dtype=np.float32)
    rows, n = scores.shape
    generator = np.random.default_rng(seed)
    lowest, highest = [], []
    for start in range(0, resamples, _BATCH):
        size = min(_BATCH, resamples - start)
        weights = generator.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float32)
        # (K,N) @ (N,B); counts of right answers below 2^24 are exact in float32.
        means = scores @ weights.T
        ordered = -means if higher_is_better else means
        lowest.append(rankdata(ordered, method="min", axis=0))
        highest.append(rankdata(ordered, method="max", axis=0))
    tail = (1 - confidence) / 2
    low = np.quantile(np.concatenate(lowest, axis=1), tail, axis=1, method="lower")
    high = np.quantile(np.concatenate(highest, axis=1), 1 - tail, axis=1, method="higher")
    return low.astype(np.int64).reshape(rows), high.astype(np.int64).reshape(rows)


def overlapping_ranks(
    low: NDArray[Any], high: NDArray[Any], *, higher_is_better: bool = True
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Between which ranks each row may lie by its interval alone.

    A row is surely behind those whose whole interval is better, and surely ahead of those whose
    whole interval is worse; it may change places with all others. What rows have in common (they
    saw the same images) is not used, so that ranges are wide rather than wrong.

    Args:
        low, high: ends of the intervals, shape ``(K,)``, finite.
        higher_is_better: whether rank 1 is the largest value.

    Returns:
        Lowest and highest rank of each row, shape ``(K,)`` each, integers in [1,K].
    """
    import numpy as np

    one, other = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not higher_is_better:
        one, other = -other, -one
    ahead = (one[None, :] > other[:, None]).sum(axis=1)
    behind = (other[None, :] < one[:, None]).sum(axis=1)
    return ahead + 1, len(one) - behind

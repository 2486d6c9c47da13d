"""Resampling pictures with replacement, the same for every detector (Efron, 1979)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
"""25 lie beyond either end of an interval; 5,000 pictures of COCO take about half a minute."""

SEED = 0
CONFIDENCE = 0.95


def resampled_weights(pictures: int, at_once: int) -> Iterator[NDArray[np.float64]]:
    """How often each of N pictures is there in each resample, a few resamples at a time.

    They depend on N alone, so that detectors can be compared on the same resamples.

    Args:
        pictures: N, at least 1.
        at_once: how many rows ``(R,N)`` float64 are given at most.
    """
    generator = np.random.default_rng(SEED)
    for start in range(0, RESAMPLES, at_once):
        rows = min(at_once, RESAMPLES - start)
        drawn = (generator.integers(pictures, size=pictures) for _ in range(rows))
        yield np.stack([np.bincount(one, minlength=pictures) for one in drawn]).astype(np.float64)


def basic_interval(
    value: NDArray[np.float64], resampled: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of basic bootstrap 95% intervals, ``(...)`` each, of shares in [0,1].

    Average precision is higher on fewer different objects, of which every resample has fewer than
    the dataset: resampled values lie above the value as that lies above what would be measured on
    many more pictures. So their quantiles are mirrored at the value (Davison and Hinkley, 1997,
    section 5.2). The ends stay in [0,1] and hold the value between them.

    Args:
        value: ``(...)``, over all pictures.
        resampled: ``(R,...)``, the same in each resample; those that are NaN are left out.

    Returns:
        NaN where the value is undefined or every resample is.
    """
    below, above = percentile_interval(resampled)
    low = np.minimum(np.clip(2 * value - above, 0, 1), value)
    high = np.maximum(np.clip(2 * value - below, 0, 1), value)
    return low, high


def percentile_interval(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of 95% intervals, ``(...)`` each, of ``values`` ``(R,...)``.

    Resamples in which a value is undefined (NaN) are left out; NaN where it is undefined in all.
    """
    flat = values.reshape(len(values), -1)
    ends = np.full((2, flat.shape[1]), np.nan)
    defined = ~np.isnan(flat).all(axis=0)
    if defined.any():
        tail = (1 - CONFIDENCE) / 2
        ends[:, defined] = np.nanquantile(flat[:, defined], (tail, 1 - tail), axis=0)
    low, high = ends.reshape(2, *values.shape[1:])
    return low, high

"""Sums and differences of accuracies over the same images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

PSEUDO_IMAGES = 2


def share_variance(share: float, n: int) -> float:
    """The sampling variance of a share of ``n`` images, never zero.

    One right and one wrong image are added, as Agresti and Caffo (2000) do for the difference of
    two independent shares.
    """
    shrunk = (share * n + PSEUDO_IMAGES / 2) / (n + PSEUDO_IMAGES)
    return shrunk * (1 - shrunk) / n


def contrast_variance(weights: Sequence[float], right: Sequence[NDArray[Any]]) -> float:
    """The sampling variance of a weighted sum of accuracies over the same images, never zero.

    Image i adds v_i = sum over k of weights[k] * right[k][i], and the sum of accuracies is the
    mean of v, so that its variance is that of v over N: covariances are in it. To v are added
    two images on which each row is right or wrong with equal chance, whatever the others are.
    For the difference of two rows that is half an image in each cell of their table of both, only
    the first, only the second and neither right (Agresti and Min, 2005, "Wald+2"); for one row it
    is :func:`share_variance`.

    Deviations: the interval of Agresti and Min is centred on the difference of the table with
    the added images; this variance belongs to the observed one, and is divided by N, not N + 2.

    Args:
        weights: K numbers, not all zero.
        right: of each row whether it is right on each image, ``(N,)`` bool; N at least 1.
    """
    import numpy as np

    sums = np.zeros(len(right[0]))
    for weight, row in zip(weights, right, strict=True):
        sums += weight * row
    # Fair coins: each weight is there with chance 1/2.
    mean = sum(weights) / 2
    square = mean**2 + sum(weight**2 for weight in weights) / 4
    n = len(sums)
    first = (sums.sum() + PSEUDO_IMAGES * mean) / (n + PSEUDO_IMAGES)
    second = ((sums**2).sum() + PSEUDO_IMAGES * square) / (n + PSEUDO_IMAGES)
    return float(second - first**2) / n

"""Rows in groups, and sparse tables of how many detections of each picture lie between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Segments:
    """Columns that are sorted by group: sums and maxima within each.

    Attributes:
        group: ``(H,)`` int64, rising.
        present: ``(g,)`` int64, the groups that have columns.
        first, last: ``(g,)`` int64, their first and last columns.
    """

    def __init__(self, group: NDArray[np.int64]) -> None:
        self.group = group
        self.present, self.first, self._index = np.unique(
            group, return_index=True, return_inverse=True
        )
        self.last = np.append(self.first[1:], len(group))[: len(self.first)] - 1
        # Lifts every group above all that follow it, precision being at most 1.
        self._lift = 2.0 * (len(self.present) - self._index)

    def cumulated(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Running sums ``(R,H)`` of whole numbers, which are exact."""
        total = np.cumsum(values, axis=1)
        if len(self.first) > 1:
            offset = np.zeros((len(values), len(self.first)))
            offset[:, 1:] = total[:, self.last[:-1]]
            total -= offset.take(self._index, axis=1)
        return total

    def differences(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """What each column adds to the one before it, ``(R,H)``."""
        found = values.copy()
        found[:, 1:] -= values[:, :-1]
        found[:, self.first] = values[:, self.first]
        return found

    def envelope(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The largest value at or after each column, ``(R,H)``, of values in [0,1]."""
        highest = np.maximum.accumulate((values + self._lift)[:, ::-1], axis=1)[:, ::-1]
        return np.asarray(highest - self._lift)


def counts_between(
    rows: NDArray[np.int64],
    group: NDArray[np.int64],
    chosen: NDArray[np.int64],
    picture: NDArray[np.int64],
    pictures: int,
) -> Any:
    """Sparse ``(H,N)``: chosen positions of each picture from the row before, excluded, to a row.

    Args:
        rows: ``(H,)`` rising positions.
        group: of every position; a row counts its own group only.
        chosen: positions that are counted.
        picture: of every position.
        pictures: N.
    """
    row = np.searchsorted(rows, chosen)
    followed = row < len(rows)
    row, chosen = row[followed], chosen[followed]
    same = group[rows[row]] == group[chosen]
    return count_table(row[same], picture[chosen[same]], (len(rows), pictures))


def count_table(row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    """How often each row and column occur together, sparse ``shape`` float64."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(row)), (row, column)), shape=shape)


def weighted(counts: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sparse counts ``(H,N)`` under weights ``(R,N)``: ``(R,H)``."""
    return np.ascontiguousarray((counts @ weights.T).T)

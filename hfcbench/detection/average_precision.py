"""Average precision from matches, for any weights of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.detection.matching import HIT, IGNORED, Matches
from hfcbench.detection.measures import RECALLS

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Curves:
    """Both ``(4,10,R,G)`` float64 for size ranges, thresholds, sets of weights and groups; NaN
    where a group has no objects of that size.

    Attributes:
        precision: average precision.
        recall: the share of objects that are found at all.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


class Ranking:
    """Detections sorted within groups, a group being a class or a class in one picture.

    Sorted once, they give average precision under any number of weights: a resample of pictures
    with replacement is nothing else than a whole number for each.
    """

    def __init__(
        self, matches: Matches, detections: NDArray[np.int64], objects: NDArray[np.int64]
    ) -> None:
        """Sort by group.

        Args:
            matches: D detections, K objects.
            detections: ``(D,)`` int64, the group of each detection.
            objects: ``(K,)`` int64, the group of each object.
        """
        wanted = matches.wanted.any(axis=0)
        self.groups: NDArray[np.int64] = np.unique(objects[wanted])
        self._objects = [
            _counts(
                np.searchsorted(self.groups, objects[chosen]),
                matches.object_picture[chosen],
                (len(self.groups), matches.pictures),
            )
            for chosen in matches.wanted
        ]
        # Detections of a group without objects are nowhere looked at.
        order = np.argsort(detections, kind="stable")
        order = order[np.isin(detections[order], self.groups)]
        group = np.searchsorted(self.groups, detections[order])
        row_of = np.full(len(detections), -1)
        row_of[matches.matched] = np.arange(len(matches.matched))
        rows = np.flatnonzero(row_of[order] >= 0)
        outcomes = matches.outcomes[:, :, row_of[order[rows]]]
        picture, inside = matches.picture[order], matches.inside[:, order]
        self._picture = picture[rows]
        self._segments = _Segments(group[rows])
        self._before = [
            _between(rows, group, np.flatnonzero(chosen), picture, matches.pictures)
            for chosen in inside
        ]
        self._hits = [
            [self._prepare(outcome, chosen[rows], matches.pictures) for outcome in by_threshold]
            for by_threshold, chosen in zip(outcomes, inside, strict=True)
        ]

    @property
    def rows(self) -> int:
        """How many detections match anything."""
        return len(self._picture)

    def _prepare(
        self, outcome: NDArray[np.int8], inside: NDArray[np.bool_], pictures: int
    ) -> _Hits:
        rows = np.flatnonzero(outcome == HIT)
        group = self._segments.group
        # Counted by area, these must not be; the others are, whatever their area.
        dropped = np.flatnonzero((outcome == IGNORED) & inside)
        added = np.flatnonzero((outcome == HIT) & ~inside)
        less = _between(rows, group, dropped, self._picture, pictures)
        more = _between(rows, group, added, self._picture, pictures)
        correction = more - less
        return _Hits(rows, _Segments(group[rows]), correction if correction.nnz else None)

    def curves(self, weights: NDArray[np.float64]) -> Curves:
        """Average precision and recall.

        Args:
            weights: ``(R,N)`` float64, how often each picture is there, in R cases.
        """
        own = weights.take(self._picture, axis=1)  # (R,M)
        shape = (len(self._hits), len(self._hits[0]), len(weights), len(self.groups))
        precision, recall = np.zeros(shape), np.zeros(shape)
        for size, by_threshold in enumerate(self._hits):
            objects = _weighted(self._objects[size], weights)  # (R,G)
            before = self._segments.cumulated(_weighted(self._before[size], weights))  # (R,M)
            for threshold, hits in enumerate(by_threshold):
                if len(hits.rows):
                    found = hits.averages(own, before, objects, weights)
                    for kept, values in zip((precision, recall), found, strict=True):
                        kept[size, threshold][:, hits.segments.present] = values
            precision[size][:, objects == 0] = np.nan
            recall[size][:, objects == 0] = np.nan
        return Curves(precision, recall)


@dataclass(frozen=True, eq=False)
class _Hits:
    """True positives in one size range at one threshold: H of M rows, in their groups.

    ``correction`` is what counting detections by their area gets wrong between them, ``(H,N)``.
    """

    rows: NDArray[np.int64]
    segments: _Segments
    correction: Any

    def averages(
        self,
        own: NDArray[np.float64],
        before: NDArray[np.float64],
        objects: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average precision and recall of each group with a row, ``(R,g)``; see ``Ranking``.

        Precision only rises at true positives, so that its upper envelope and the places where
        recall is reached are known from these.
        """
        segments = self.segments
        true = segments.cumulated(own.take(self.rows, axis=1))  # (R,H)
        counted = before.take(self.rows, axis=1)
        if self.correction is not None:
            counted += segments.cumulated(_weighted(self.correction, weights))
        precision = segments.envelope(true / np.maximum(counted, 1))
        recall = true / np.maximum(objects, 1).take(segments.group, axis=1)
        # Distances between shares of objects are far above the 1e-9 that rounding cannot reach.
        step = (recall * (len(RECALLS) - 1) + 1e-9).astype(np.int64)
        reached = step + (recall >= RECALLS[step])
        area = np.add.reduceat(precision * segments.differences(reached), segments.first, axis=1)
        return area / len(RECALLS), recall[:, segments.last]


class _Segments:
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


def _between(
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
    return _counts(row[same], picture[chosen[same]], (len(rows), pictures))


def _counts(row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    """How often each row and column occur together, sparse ``shape`` float64."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(row)), (row, column)), shape=shape)


def _weighted(counts: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sparse counts ``(H,N)`` under weights ``(R,N)``: ``(R,H)``."""
    return np.ascontiguousarray((counts @ weights.T).T)

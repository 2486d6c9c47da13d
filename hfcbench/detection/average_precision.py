"""Average precision from matches, for any weights of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.detection.matching import HIT, IGNORED, Matches
from hfcbench.detection.measures import RECALLS
from hfcbench.detection.segments import Segments, count_table, counts_between, weighted

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
            count_table(
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
        self._segments = Segments(group[rows])
        self._before = [
            counts_between(rows, group, np.flatnonzero(chosen), picture, matches.pictures)
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
        less = counts_between(rows, group, dropped, self._picture, pictures)
        more = counts_between(rows, group, added, self._picture, pictures)
        correction = more - less
        return _Hits(rows, Segments(group[rows]), correction if correction.nnz else None)

    def curves(self, weights: NDArray[np.float64]) -> Curves:
        """Average precision and recall.

        Args:
            weights: ``(R,N)`` float64, how often each picture is there, in R cases.
        """
        own = weights.take(self._picture, axis=1)  # (R,M)
        shape = (len(self._hits), len(self._hits[0]), len(weights), len(self.groups))
        precision, recall = np.zeros(shape), np.zeros(shape)
        for size, by_threshold in enumerate(self._hits):
            objects = weighted(self._objects[size], weights)  # (R,G)
            before = self._segments.cumulated(weighted(self._before[size], weights))  # (R,M)
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
    segments: Segments
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
            counted += segments.cumulated(weighted(self.correction, weights))
        precision = segments.envelope(true / np.maximum(counted, 1))
        recall = true / np.maximum(objects, 1).take(segments.group, axis=1)
        # Distances between shares of objects are far above the 1e-9 that rounding cannot reach.
        step = (recall * (len(RECALLS) - 1) + 1e-9).astype(np.int64)
        reached = step + (recall >= RECALLS[step])
        area = np.add.reduceat(precision * segments.differences(reached), segments.first, axis=1)
        return area / len(RECALLS), recall[:, segments.last]

"""The detections that a score looks at, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.detection.measures import MOST_DETECTIONS
from hfcbench.detection_types import Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Ranked:
    """Detections that count, best first; equal scores in the order of the pictures. All ``(D,)``.

    Attributes:
        picture, category: int64.
        boxes: ``(D,4)`` float64, left, top, width and height.
        area: float64; 0 where a box is empty, inverted or has no size.
        broken: whether its score or its box is no number.
        sizeless: whether its box is.
    """

    picture: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    area: NDArray[np.float64]
    broken: NDArray[np.bool_]
    sizeless: NDArray[np.bool_]

    @classmethod
    def of(cls, detections: Detections) -> Ranked:
        """At most 100 of a class in a picture, the best ones; NaN ranks last."""
        picture = np.repeat(np.arange(len(detections)), detections.counts)
        category = detections.classes
        unranked = np.isnan(detections.scores)
        order = np.argsort(np.where(unranked, np.inf, -detections.scores), kind="stable")
        order = order[_place(picture[order], category[order]) < MOST_DETECTIONS]
        edges = detections.boxes[order].astype(np.float64)
        sizeless = np.asarray(~np.isfinite(edges).all(axis=1))
        edges[sizeless] = 0
        extent = edges[:, 2:] - edges[:, :2]
        return cls(
            picture=picture[order],
            category=category[order],
            boxes=np.concatenate([edges[:, :2], extent], axis=1),
            area=extent.clip(min=0).prod(axis=1),
            broken=unranked[order] | sizeless,
            sizeless=sizeless,
        )


def _place(picture: NDArray[np.int64], category: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each detection, from 0, among those of its picture and class."""
    grouped = np.lexsort((category, picture))
    changes = np.diff(picture[grouped], prepend=-1) != 0
    changes |= np.diff(category[grouped], prepend=-1) != 0
    first = np.flatnonzero(changes)
    place = np.empty(len(picture), np.int64)
    place[grouped] = np.arange(len(picture)) - first[np.cumsum(changes) - 1]
    return place

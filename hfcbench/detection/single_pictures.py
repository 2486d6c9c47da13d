"""One picture of many: what was found in it, and how well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.detection.matching import MISS, match
from hfcbench.detection.measures import THRESHOLDS
from hfcbench.detection_types import Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOUND_FROM = float(THRESHOLDS[0])
"""How far a box and an object must overlap for :func:`found_objects`."""


def picture_alone(detections: Detections, position: int) -> Detections:
    """The detections in one picture, as if there were no other; scores of it are the picture's."""
    pictures = detections.pictures
    chosen = slice(position, position + 1)
    objects, found = (_rows(one.counts, position) for one in (pictures, detections))
    alone = replace(
        pictures,
        names=pictures.names[chosen],
        **{name: getattr(pictures, name)[chosen] for name in ("heights", "widths", "counts")},
        **{
            name: getattr(pictures, name)[objects]
            for name in ("boxes", "classes", "areas", "crowds")
        },
    )
    return Detections(
        alone,
        detections.counts[chosen],
        detections.boxes[found],
        detections.scores[found],
        detections.classes[found],
    )


def found_objects(alone: Detections) -> NDArray[np.bool_]:
    """Which detections match an object of their class, by COCO's rules at an overlap of 0.5.

    Of several boxes on one object only the best matches; any number may match a crowd.

    Args:
        alone: of one picture, at most 100, best first.

    Returns:
        ``(D,)``.
    """
    matches = match(alone)
    found = np.zeros(len(alone.scores), np.bool_)
    # Of one picture, whose detections lie in order, places in the ranking are positions.
    found[matches.matched] = matches.outcomes[0, 0] != MISS
    return found


def _rows(counts: NDArray[np.int64], position: int) -> slice:
    start = int(counts[:position].sum())
    return slice(start, start + int(counts[position]))

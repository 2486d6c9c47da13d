"""What COCO measures: sizes, thresholds, and the numbers that are read from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_DETECTIONS = 100
"""Detections of one class in one picture that count."""

SIZES = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Areas in square pixels, both ends included."""

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""How far a box and an object must overlap: intersection over union."""

RECALLS = np.linspace(0.0, 1.0, 101)
"""Where precision is read off. 35 * 0.01 is a little more than 0.35: as COCO's tools have it."""


@dataclass(frozen=True)
class Measure:
    """A number that COCO reads from matches.

    Attributes:
        size: position in ``SIZES`` of what is looked for.
        threshold: position in ``THRESHOLDS``; None averages over all of them.
        recall: average recall instead of average precision.
        by_picture: whether it is kept for every picture.
    """

    size: int = 0
    threshold: int | None = None
    recall: bool = False
    by_picture: bool = True


MEASURES = {
    "map": Measure(),
    "ap50": Measure(threshold=0),
    "ap75": Measure(threshold=5, by_picture=False),
    "map-small": Measure(size=1),
    "map-medium": Measure(size=2),
    "map-large": Measure(size=3),
    "recall": Measure(recall=True, by_picture=False),
}

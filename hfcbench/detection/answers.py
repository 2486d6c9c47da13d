"""What a detector answered, checked and collected picture by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from hfcbench.detection_types import Detections, Found, PictureSet
from hfcbench.errors import NodeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_DETECTIONS = 100
"""Of one picture, as COCO counts them; a detector's further ones are of no use to any score."""

_Arrays = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.int64]"]


def checked(answer: object, classes: int) -> _Arrays:
    """Boxes ``(D,4)``, scores ``(D,)`` and classes ``(D,)`` of one picture, best first.

    Args:
        answer: what a detector returned for a batch of one picture.
        classes: how many there are.

    Returns:
        The best 100; detections of equal scores stay in the detector's order. Scores that are not
        numbers come last.

    Raises:
        NodeError: it is no answer to one picture, or its arrays do not fit together.
    """
    if not isinstance(answer, list) or len(answer) != 1 or not isinstance(answer[0], Found):
        raise NodeError(f"the detector returned {type(answer).__name__} instead of one Found")
    found = answer[0]
    count = len(found.scores)
    shapes = (tuple(found.boxes.shape), tuple(found.scores.shape), tuple(found.classes.shape))
    if shapes != ((count, 4), (count,), (count,)):
        raise NodeError(f"the detector's boxes, scores and classes have the shapes {shapes}")
    order = torch.argsort(found.scores.nan_to_num(nan=-torch.inf), descending=True, stable=True)
    best = order[:MOST_DETECTIONS]
    numbers = found.classes[best].cpu().numpy().astype(np.int64)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < classes:
        raise NodeError(
            f"the detector found classes {numbers.min()} to {numbers.max()}; "
            f"the dataset has 0 to {classes - 1}"
        )
    boxes = found.boxes[best].float().cpu().numpy()
    return boxes, found.scores[best].float().cpu().numpy(), numbers


class DetectionBuffer:
    """Collects what one detector finds under one condition, picture by picture."""

    def __init__(self, pictures: PictureSet) -> None:
        self._pictures = pictures
        self._boxes: list[NDArray[np.float32]] = [np.empty((0, 4), np.float32)]
        self._scores: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
        self._classes: list[NDArray[np.int64]] = [np.empty(0, np.int64)]

    def add(self, arrays: _Arrays) -> None:
        """Keep what :func:`checked` gave for the next picture."""
        boxes, scores, classes = arrays
        self._boxes.append(boxes)
        self._scores.append(scores)
        self._classes.append(classes)

    def detections(self) -> Detections:
        """All that was collected."""
        return Detections(
            self._pictures,
            np.array([len(scores) for scores in self._scores[1:]], np.int64),
            np.concatenate(self._boxes),
            np.concatenate(self._scores),
            np.concatenate(self._classes),
        )

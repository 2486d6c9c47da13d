"""One picture of many: what is found in it, and what it scores."""

from __future__ import annotations

import numpy as np
import pytest
from made_detections import made_detections

from hfcbench.detection import mean_average_precision, scores
from hfcbench.detection.single_pictures import found_objects, picture_alone
from hfcbench.detection_types import Detections, PictureSet


def test_a_picture_alone_scores_what_it_scores_among_others():
    detections = made_detections(12, classes=4)
    among_others = scores(detections, "map").pictures
    assert among_others is not None

    alone = [mean_average_precision(picture_alone(detections, place)) for place in range(12)]

    np.testing.assert_allclose(alone, among_others)
    names = [picture_alone(detections, place).pictures.names for place in range(12)]
    assert names == [(name,) for name in detections.pictures.names]


def one_picture(boxes, classes) -> Detections:
    """Two objects of class 0, the second one a crowd, and detections from the best on."""
    pictures = PictureSet(
        names=("a",),
        heights=np.array([100]),
        widths=np.array([100]),
        counts=np.array([2]),
        boxes=np.array([[10, 10, 30, 30], [50, 50, 90, 90]], np.float32),
        classes=np.zeros(2, np.int64),
        areas=np.array([400, 1600], np.float32),
        crowds=np.array([False, True]),
        class_names=("lamp", "moon"),
    )
    falling = np.linspace(0.9, 0.1, len(classes), dtype=np.float32)
    shapes = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(pictures, np.array([len(classes)]), shapes, falling, np.array(classes, int))


@pytest.mark.parametrize(
    ("boxes", "classes", "found"),
    [
        ([[10, 10, 30, 30]], [0], [True]),
        # Half of the union, and a little less.
        ([[10, 10, 30, 20]], [0], [True]),
        ([[10, 10, 30, 19]], [0], [False]),
        ([[10, 10, 30, 30]], [1], [False]),
        # Of two on one object the better one, whichever lies closer.
        ([[10, 10, 30, 28], [10, 10, 30, 30]], [0, 0], [True, False]),
        # Within a crowd there is room for many.
        ([[52, 52, 60, 60], [70, 70, 80, 80], [0, 90, 5, 95]], [0, 0, 0], [True, True, False]),
        ([], [], []),
    ],
)
def test_which_detections_find_an_object(boxes, classes, found):
    assert found_objects(one_picture(boxes, classes)).tolist() == found

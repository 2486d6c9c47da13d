"""Two evaluations of the same pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_detections import chosen_pictures, made_detections

from hfcbench.detection import paired_difference, picture_changes, scores
from hfcbench.detection.summary import summary
from hfcbench.detection_types import Detections
from hfcbench.errors import UsageError


def worse(detections: Detections) -> Detections:
    """The same with every third detection moved away."""
    boxes = detections.boxes.copy()
    boxes[::3] += 300
    return replace(detections, boxes=boxes, cache={})


def test_nothing_differs_from_itself():
    detections = made_detections(25, classes=5)

    found = paired_difference("map", detections, replace(detections, cache={}))

    assert (found.value, found.low, found.high, found.n) == (0, 0, 0, 25)


def test_the_difference_is_that_of_the_scores_on_the_same_resamples():
    first = made_detections(25, classes=5)
    second = worse(first)

    found = paired_difference("ap50", first, second)

    one, other = scores(first, "ap50").total, scores(second, "ap50").total
    assert found.value == pytest.approx(one.value - other.value)
    differences = summary(first).resampled[:, 1] - summary(second).resampled[:, 1]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, (2.5, 97.5))))
    # Pictures that are hard are hard for both: the pair is known better than either.
    assert 0 < found.low < found.value < found.high
    assert found.high - found.low < np.hypot(one.high - one.low, other.high - other.low)
    mirrored = paired_difference("ap50", second, first)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def test_other_pictures_and_unknown_measures_are_refused():
    detections = made_detections(10, classes=5)
    for other in (
        chosen_pictures(detections, np.arange(9)),
        made_detections(10, classes=5, seed=1),
        made_detections(10, classes=6),
    ):
        with pytest.raises(UsageError, match="different pictures"):
            paired_difference("map", detections, other)
    with pytest.raises(UsageError, match=r"'ap05'.*\n.*'ap50'"):
        paired_difference("ap05", detections, detections)


def test_changes_are_sorted_by_their_size():
    nan = float("nan")
    before = np.array([0.5, 0.5, nan, 0.2, 0.9, 0.4, 0.1, 0.3])
    after = np.array([0.6, 0.1, 0.4, 0.2, nan, 0.9, 0.3, 0.1])

    found = picture_changes(before, after)

    assert found.gained.tolist() == [5, 6, 0]
    assert found.dropped.tolist() == [1, 7]
    assert found.equal.tolist() == [3]
    assert np.flatnonzero(np.isnan(found.difference)).tolist() == [2, 4]


def test_rounding_is_no_change():
    before = np.array([0.3, 0.3, 0.3])

    found = picture_changes(before, before + np.array([1e-12, -1e-12, 1e-6]))

    assert found.gained.tolist() == [2]
    assert found.dropped.tolist() == []
    assert found.equal.tolist() == [0, 1]


def test_as_many_scores_are_needed_of_both():
    with pytest.raises(UsageError, match="3 scores cannot be compared with 2"):
        picture_changes(np.zeros(3), np.zeros(2))

"""What a metric of detections promises."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hfcbench.detection_types import Detections, DetectionScores, PictureSet
from hfcbench.references import Kind
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import Score, task_of

_PICTURES = 6
_NAMES = ("ring", "square")


class DetectionMetricContract(PluginContract):
    """Tests of a metric of detections; see :class:`hfcbench.detection_types.DetectionMetric`.

    Attributes:
        lowest, highest: the metric's range, which its intervals keep to as well.
        box_size: of the objects that it is tried on, in pixels.
    """

    kind: ClassVar[Kind] = "metric"
    lowest: float = 0.0
    highest: float = 1.0
    box_size: float = 40.0

    def test_it_says_that_it_is_for_detection(self) -> None:
        """By its ``task``."""
        if task_of(self.made()) != "detection":
            raise self.fail("does not say task = 'detection'")

    def test_scores_are_numbers_of_its_range_in_their_intervals(self) -> None:
        """In total, of each class, and of each picture."""
        for shift in (0.0, 0.3, 3.0):
            scores = self._scores(self._detections(shift))
            for name, score in {"the total": scores.total, **scores.classes}.items():
                self._check_score(name, score)
            if scores.pictures is None:
                continue
            if scores.pictures.shape != (_PICTURES,):
                raise self.fail(f"has {scores.pictures.shape} scores for {_PICTURES} pictures")
            known = scores.pictures[~np.isnan(scores.pictures)]
            if ((known < self.lowest) | (known > self.highest)).any():
                raise self.fail("has scores of pictures outside of its range")

    def test_finding_everything_scores_better_than_missing_it(self) -> None:
        """In the direction of ``higher_is_better``."""
        good, bad = (self._scores(self._detections(at)).total.value for at in (0.0, 3.0))
        higher = self.made().higher_is_better
        if not (good > bad if higher else good < bad):
            raise self.fail(
                f"is {good:g} where every box is right and {bad:g} where none is, "
                f"and says higher_is_better = {higher}"
            )

    def test_the_same_detections_get_the_same_score(self) -> None:
        """With its interval."""
        first, again = (self._scores(self._detections(0.3)).total for _ in range(2))
        if first != again:
            raise self.fail("scores the same detections differently")

    def _check_score(self, name: str, score: Score) -> None:
        told = f"{score.value:g} [{score.low:g}, {score.high:g}] for {name}"
        if not self.lowest <= score.value <= self.highest:
            raise self.fail(f"is {told}, outside of {self.lowest:g} to {self.highest:g}")
        if not score.low <= score.value <= score.high:
            raise self.fail(f"is {told}: not inside of its own interval")

    def _scores(self, detections: Detections) -> DetectionScores:
        scores: object = self.made().score(detections)
        if not isinstance(scores, DetectionScores):
            raise self.fail(f"gives a {type(scores).__name__} instead of DetectionScores")
        return scores

    def _detections(self, shift: float) -> Detections:
        """Two objects in each picture, each found once, moved by a share of its size."""
        count, size = 2 * _PICTURES, self.box_size
        starts = np.stack([np.full(count, 5.0), np.tile([5.0, size + 15], _PICTURES)], 1)
        boxes = np.concatenate([starts, starts + size], 1).astype(np.float32)
        classes = np.arange(count) % 2
        pictures = PictureSet(
            names=tuple(f"picture-{number}" for number in range(_PICTURES)),
            heights=np.full(_PICTURES, int(6 * size) + 30),
            widths=np.full(_PICTURES, int(6 * size) + 30),
            counts=np.full(_PICTURES, 2),
            boxes=boxes,
            classes=classes,
            areas=np.full(count, size * size, np.float32),
            crowds=np.zeros(count, np.bool_),
            class_names=_NAMES,
        )
        scores = np.tile(np.array([0.9, 0.8], np.float32), _PICTURES)
        moved = boxes + np.float32(shift * size) * np.array([1, 0, 1, 0], np.float32)
        return Detections(pictures, np.full(_PICTURES, 2), moved, scores, classes)

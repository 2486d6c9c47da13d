"""What a metric of predictions promises."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from hfcbench.references import Kind
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import Predictions, Score

_IMAGES = 40
_CLASSES = 4


class MetricContract(PluginContract):
    """Tests of a metric; see :class:`hfcbench.types.Metric`.

    Attributes:
        lowest, highest: the metric's range, which its interval keeps to as well.
    """

    kind: ClassVar[Kind] = "metric"
    lowest: float = 0.0
    highest: float = 1.0

    def test_scores_are_numbers_of_its_range_in_their_intervals(self) -> None:
        """On good, poor and random predictions, few and many."""
        for right in (0.0, 0.3, 1.0):
            for count in (1, 2, _IMAGES):
                score = self._score(predictions(right, count))
                if score.n != count:
                    raise self.fail(f"says that {score.n} images are behind it, not {count}")
                told = f"{score.value:g} [{score.low:g}, {score.high:g}]"
                if not self.lowest <= score.value <= self.highest:
                    raise self.fail(f"is {told}, outside of {self.lowest:g} to {self.highest:g}")
                if not score.low <= score.value <= score.high:
                    raise self.fail(f"is {told}: not inside of its own interval")

    def test_right_answers_score_better_than_wrong_ones(self) -> None:
        """In the direction of ``higher_is_better``."""
        good, bad = (self._score(predictions(right)).value for right in (1.0, 0.0))
        higher = self.made().higher_is_better
        if not (good > bad if higher else good < bad):
            raise self.fail(
                f"is {good:g} where all answers are right and {bad:g} where none is, "
                f"and says higher_is_better = {higher}"
            )

    def test_the_order_of_images_does_not_matter(self) -> None:
        """Up to rounding."""
        given = predictions(0.5)
        order = np.random.default_rng(1).permutation(_IMAGES)
        shuffled = Predictions(
            given.labels[order],
            given.predicted[order],
            given.confidence[order],
            given.loss[order],
        )
        if not math.isclose(self._score(given).value, self._score(shuffled).value, rel_tol=1e-6):
            raise self.fail("depends on the order of images")

    def test_the_same_predictions_get_the_same_score(self) -> None:
        """With its interval, and the predictions stay as they were."""
        given, untouched = predictions(0.5), predictions(0.5)
        if self._score(given) != self._score(given):
            raise self.fail(
                "scores the same predictions differently", hint="seed what is drawn for intervals"
            )
        for name in ("labels", "predicted", "confidence", "loss"):
            if not np.array_equal(getattr(given, name), getattr(untouched, name)):
                raise self.fail(f"changes the {name} that it is given")

    def test_images_without_an_answer_are_no_failure(self) -> None:
        """A model may answer NaN: -1 is predicted, confidence and loss are NaN."""
        given = predictions(0.5)
        given.predicted[0] = -1
        given.confidence[0] = given.loss[0] = np.nan
        self._score(given)

    def _score(self, given: Predictions) -> Score:
        score: object = self.made().score(given)
        if not isinstance(score, Score):
            raise self.fail(f"gives a {type(score).__name__} instead of a Score")
        return score


def predictions(right: float, count: int = _IMAGES) -> Predictions:
    """Answers to images of four classes, of which a share is right; the same at every call."""
    draw = np.random.default_rng(0)
    labels = np.arange(count) % _CLASSES
    correct = np.arange(count) < round(right * count)
    confidence = draw.uniform(0.5, 1.0, count)
    # Of the true class; where the answer is wrong, it has half of what is left.
    probability = np.where(correct, confidence, (1 - confidence) / 2 + 1e-6)
    return Predictions(
        labels=labels.astype(np.int64),
        predicted=np.where(correct, labels, (labels + 1) % _CLASSES).astype(np.int64),
        confidence=confidence.astype(np.float32),
        loss=-np.log(probability).astype(np.float32),
    )

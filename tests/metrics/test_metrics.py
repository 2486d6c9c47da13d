"""Metrics against formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hfcbench.metrics.loss import Loss
from hfcbench.metrics.top1 import Top1
from hfcbench.types import Predictions


def predictions(correct: int, n: int, loss: np.ndarray | None = None) -> Predictions:
    predicted = np.zeros(n, dtype=np.int64)
    predicted[correct:] = 1
    losses = np.ones(n) if loss is None else loss
    return Predictions(
        np.zeros(n, dtype=np.int64), predicted, np.ones(n, np.float32), losses.astype(np.float32)
    )


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (7, 10), (10, 10), (913, 1000), (1, 1)])
def test_top1_has_the_wilson_interval(correct, n):
    score = Top1().score(predictions(correct, n))

    z = 1.959963984540054
    share = correct / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    margin = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert (score.value, score.n) == (share, n)
    assert score.low == pytest.approx(centre - margin, abs=1e-9)
    assert score.high == pytest.approx(centre + margin, abs=1e-9)


def test_loss_is_the_mean_with_students_interval():
    score = Loss().score(predictions(1, 4, np.array([1.0, 2.0, 3.0, 6.0])))

    # Mean 3, standard deviation sqrt(14 / 3), and 3.182446 is t's 97.5% point at 3 degrees.
    margin = 3.182446305 * math.sqrt(14 / 3) / 2
    assert score.value == 3
    assert score.low == pytest.approx(3 - margin)
    assert score.high == pytest.approx(3 + margin)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_losses_that_are_no_numbers_stay_so(value):
    score = Loss().score(predictions(1, 3, np.array([1.0, value, 2.0])))
    assert [score.value, score.low, score.high] == pytest.approx([value] * 3, nan_ok=True)
    assert score.n == 3

"""Mean cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Metric, Predictions, Score


@dataclass(frozen=True)
class Loss:
    """Mean cross-entropy in nats, with Student's t interval of the mean."""

    higher_is_better: ClassVar[bool] = False

    def score(self, predictions: Predictions) -> Score:
        """The mean with its 95% interval; NaN or infinite where a single loss is."""
        from scipy.stats import t

        losses = predictions.loss.astype(np.float64)
        n = len(losses)
        mean = float(losses.mean())
        if n < 2 or not math.isfinite(mean):
            return Score(mean, mean, mean, n)
        margin = float(losses.std(ddof=1) / math.sqrt(n) * t.ppf(0.975, n - 1))
        return Score(mean, mean - margin, mean + margin, n)


@hookimpl
def hfcbench_register_metrics(register: Register[Metric]) -> None:
    register("loss", Loss, version="1")

"""Top-1 accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Metric, Predictions, Score


@dataclass(frozen=True)
class Top1:
    """Share of images whose most probable class is the true one, with a Wilson interval."""

    higher_is_better: ClassVar[bool] = True

    def score(self, predictions: Predictions) -> Score:
        """Accuracy in [0,1] with its 95% Wilson score interval (Wilson, 1927)."""
        from scipy.stats import binomtest

        n = len(predictions.labels)
        correct = int((predictions.predicted == predictions.labels).sum())
        interval = binomtest(correct, n).proportion_ci(0.95, method="wilson")
        return Score(correct / n, float(interval.low), float(interval.high), n)


@hookimpl
def hfcbench_register_metrics(register: Register[Metric]) -> None:
    register("top1", Top1, version="1")

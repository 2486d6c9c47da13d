"""Average recall of detections, as COCO defines it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hfcbench import hookimpl
from hfcbench.detection import scores
from hfcbench.detection_types import DetectionMetric, Detections, DetectionScores
from hfcbench.hookspecs import Register
from hfcbench.types import Metric


@dataclass(frozen=True)
class AverageRecall:
    """The share of objects that are found at all, over overlaps of 0.5 to 0.95 and classes.

    In [0,1]; COCO's AR at 100 detections of a class in a picture.
    """

    task: ClassVar[Literal["detection"]] = "detection"
    higher_is_better: ClassVar[bool] = True

    def score(self, detections: Detections) -> DetectionScores:
        """In total with its 95% interval over pictures, and by class."""
        return scores(detections, "recall")


@hookimpl
def hfcbench_register_metrics(register: Register[Metric | DetectionMetric]) -> None:
    register("recall", AverageRecall, version="1")

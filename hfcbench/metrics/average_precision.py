"""Average precision of detections, as COCO defines it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hfcbench import hookimpl
from hfcbench.detection import scores
from hfcbench.detection_types import DetectionMetric, Detections, DetectionScores
from hfcbench.hookspecs import Register
from hfcbench.types import Metric


@dataclass(frozen=True)
class MeanAveragePrecision:
    """Precision averaged over recall, over overlaps of 0.5 to 0.95 and over classes, in [0,1].

    COCO's definition (Lin et al., 2014): 101 recalls, 10 overlaps, the best 100 detections of a
    class in a picture; crowds count neither way. The interval is the basic bootstrap's over
    pictures. See :func:`hfcbench.detection.scores` for what is undefined.
    """

    task: ClassVar[Literal["detection"]] = "detection"
    higher_is_better: ClassVar[bool] = True
    measure: ClassVar[str] = "map"

    def score(self, detections: Detections) -> DetectionScores:
        """In total with its 95% interval over pictures, by class, and where kept by picture."""
        return scores(detections, self.measure)


class AveragePrecision50(MeanAveragePrecision):
    """Average precision where an overlap of 0.5 is enough."""

    measure: ClassVar[str] = "ap50"


class AveragePrecision75(MeanAveragePrecision):
    """Average precision where an overlap of 0.75 is asked for."""

    measure: ClassVar[str] = "ap75"


class SmallObjects(MeanAveragePrecision):
    """Mean average precision of objects of at most 32 x 32 pixels of area."""

    measure: ClassVar[str] = "map-small"


class MediumObjects(MeanAveragePrecision):
    """Mean average precision of objects of 32 x 32 to 96 x 96 pixels of area."""

    measure: ClassVar[str] = "map-medium"


class LargeObjects(MeanAveragePrecision):
    """Mean average precision of objects of at least 96 x 96 pixels of area."""

    measure: ClassVar[str] = "map-large"


@hookimpl
def hfcbench_register_metrics(register: Register[Metric | DetectionMetric]) -> None:
    register("map", MeanAveragePrecision, version="1")
    register("ap50", AveragePrecision50, version="1")
    register("ap75", AveragePrecision75, version="1")
    register("map-small", SmallObjects, version="1")
    register("map-medium", MediumObjects, version="1")
    register("map-large", LargeObjects, version="1")

"""Object detection: what one node of a plan does with pictures, detectors and detections."""

from hfcbench.detection.paired import PictureChanges, paired_difference, picture_changes
from hfcbench.detection.summary import mean_average_precision, scores

__all__ = [
    "PictureChanges",
    "mean_average_precision",
    "paired_difference",
    "picture_changes",
    "scores",
]

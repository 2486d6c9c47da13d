"""Object detection: what one node of a plan does with pictures, detectors and detections."""

from hfcbench.detection.paired import PictureChanges, paired_difference, picture_changes
from hfcbench.detection.summary import scores

__all__ = ["PictureChanges", "paired_difference", "picture_changes", "scores"]

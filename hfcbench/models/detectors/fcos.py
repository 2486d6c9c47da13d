"""FCOS of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torch import nn
from torchvision.models.detection import FCOS

from hfcbench.models.detectors.pyramid import pyramid

if TYPE_CHECKING:
    from hfcbench.models.torchvision_detectors import PyramidDetector


def fcos(detector: PyramidDetector, outputs: int) -> nn.Module:
    """Torchvision's FCOS without a limit on how much it finds.

    Source: Tian, Shen, Chen, He 2019.
    """
    network: nn.Module = FCOS(
        pyramid(detector, first_stage=2, further=True),
        outputs,
        min_size=detector.shorter_side,
        max_size=detector.longer_side,
        score_thresh=detector.score_threshold,
        detections_per_img=sys.maxsize,
    )
    return network

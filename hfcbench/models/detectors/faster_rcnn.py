"""Faster R-CNN of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator

from hfcbench.models.detectors.pyramid import pyramid

if TYPE_CHECKING:
    from hfcbench.models.faster_rcnn import FasterRCNN as Declared


def faster_rcnn(detector: Declared, outputs: int) -> nn.Module:
    """Torchvision's Faster R-CNN without a limit on how much it finds.

    Source: Ren, He, Girshick, Sun 2015; Lin et al. 2017 for the pyramid.
    """
    sizes = tuple(
        (max(1, round(detector.anchor_scale * size)),) for size in (32, 64, 128, 256, 512)
    )
    network: nn.Module = FasterRCNN(
        pyramid(detector, first_stage=1, further=False),
        outputs,
        min_size=detector.shorter_side,
        max_size=detector.longer_side,
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
        box_score_thresh=detector.score_threshold,
        box_detections_per_img=sys.maxsize,
    )
    return network

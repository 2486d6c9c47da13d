"""Faster R-CNN of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign

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
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=7, sampling_ratio=2)
    network: nn.Module = FasterRCNN(
        pyramid(detector, first_stage=1, further=False),
        min_size=detector.shorter_side,
        max_size=detector.longer_side,
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
        rpn_pre_nms_top_n_train=2 * detector.proposals,
        rpn_post_nms_top_n_train=2 * detector.proposals,
        rpn_pre_nms_top_n_test=detector.proposals,
        rpn_post_nms_top_n_test=detector.proposals,
        box_roi_pool=pool,
        box_head=TwoMLPHead(detector.channels * 7 * 7, detector.units),
        box_predictor=FastRCNNPredictor(detector.units, outputs),
        box_batch_size_per_image=detector.sampled,
        box_score_thresh=detector.score_threshold,
        box_detections_per_img=sys.maxsize,
    )
    return network

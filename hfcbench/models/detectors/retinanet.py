"""RetinaNet of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torch import nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.retinanet import RetinaNetHead

from hfcbench.models.detectors.pyramid import group_norm, pyramid

if TYPE_CHECKING:
    from hfcbench.models.retinanet import RetinaNet as Declared


def retinanet(detector: Declared, outputs: int) -> nn.Module:
    """Torchvision's RetinaNet without a limit on how much it finds.

    Source: Lin, Goyal, Girshick, He, Dollár 2017.

    Deviations: torchvision's, and group normalisation also behind the heads' convolutions where
    the backbone has it.
    """
    anchors = _anchors(detector.anchor_scale)
    grouped = detector.normalisation == "group"
    network: nn.Module = RetinaNet(
        pyramid(detector, first_stage=2, further=True),
        outputs,
        min_size=detector.shorter_side,
        max_size=detector.longer_side,
        anchor_generator=anchors,
        head=RetinaNetHead(
            detector.channels,
            anchors.num_anchors_per_location()[0],
            outputs,
            norm_layer=group_norm if grouped else None,
        ),
        score_thresh=detector.score_threshold,
        detections_per_img=sys.maxsize,
    )
    return network


def _anchors(scale: float) -> AnchorGenerator:
    """Three sizes an octave and three shapes; scale 1 begins at 32 pixels."""
    octaves = [max(1, round(scale * size)) for size in (32, 64, 128, 256, 512)]
    sizes = tuple(
        (size, int(size * 2 ** (1.0 / 3)), int(size * 2 ** (2.0 / 3))) for size in octaves
    )
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))

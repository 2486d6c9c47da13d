"""Faster R-CNN."""

# As where its base is, annotations are evaluated: their names are known here only.

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench import hookimpl
from hfcbench.detection_types import Detector
from hfcbench.hookspecs import Register
from hfcbench.models.torchvision_detectors import Count, PyramidDetector, Scale

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class FasterRCNN(PyramidDetector):
    """Faster R-CNN of torchvision: proposals from a pyramid, each then looked at on its own.

    Its published weights have 37.0 mAP on COCO. The further attributes are its bases'.

    Attributes:
        anchor_scale: 1 are anchors from 32 to 512 pixels in the scaled picture; small pictures
            that are not scaled up need smaller ones.
        proposals: how many regions of a picture are looked at, and twice as many in training ...
        sampled: ... of which it learns from so many.
        units: of each of the two layers that look at a region.
    """

    name: ClassVar[str] = "faster-rcnn"
    published: ClassVar[tuple[str, ...]] = (
        "backbone",
        "width",
        "channels",
        "anchor_scale",
        "units",
    )

    anchor_scale: Scale = 1.0
    proposals: Count = 1000
    sampled: Count = 512
    units: Count = 1024

    def network(self, outputs: int) -> "nn.Module":
        from hfcbench.models.detectors.faster_rcnn import faster_rcnn

        return faster_rcnn(self, outputs)


@hookimpl
def hfcbench_register_models(register: Register[Detector]) -> None:
    register("faster-rcnn", FasterRCNN, version="1")

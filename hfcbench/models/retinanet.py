"""RetinaNet."""

# As where its base is, annotations are evaluated: their names are known here only.

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench import hookimpl
from hfcbench.detection_types import Detector
from hfcbench.hookspecs import Register
from hfcbench.models.torchvision_detectors import PyramidDetector, Scale

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class RetinaNet(PyramidDetector):
    """RetinaNet of torchvision: a ResNet, a pyramid, and two small networks that read it.

    Its published weights have 36.4 mAP on COCO. The further attributes are its bases'.

    Attributes:
        anchor_scale: 1 are anchors from 32 to 813 pixels in the scaled picture; small pictures
            that are not scaled up need smaller ones.
    """

    name: ClassVar[str] = "retinanet"
    published: ClassVar[tuple[str, ...]] = ("backbone", "width", "channels", "anchor_scale")

    anchor_scale: Scale = 1.0

    def network(self, outputs: int) -> "nn.Module":
        from hfcbench.models.detectors.retinanet import retinanet

        return retinanet(self, outputs)


@hookimpl
def hfcbench_register_models(register: Register[Detector]) -> None:
    register("retinanet", RetinaNet, version="1")

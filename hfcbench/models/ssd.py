"""SSD."""

# As where its base is, annotations are evaluated: their names are known here only.

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench import hookimpl
from hfcbench.detection_types import Detector
from hfcbench.hookspecs import Register
from hfcbench.models.torchvision_detectors import Share, TorchvisionDetector

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class SSD(TorchvisionDetector):
    """SSD300 of torchvision on VGG-16, which stretches every picture to 300x300 pixels.

    Its published weights have 25.1 mAP on COCO. It has no normalisation layers: from scratch it
    needs a small learning rate. The attributes are its base's.
    """

    name: ClassVar[str] = "ssd"

    score_threshold: Share = 0.01

    def network(self, outputs: int) -> "nn.Module":
        from hfcbench.models.detectors.ssd import ssd

        return ssd(self, outputs)


@hookimpl
def hfcbench_register_models(register: Register[Detector]) -> None:
    register("ssd", SSD, version="1")

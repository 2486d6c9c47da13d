"""FCOS."""

# As where its base is, annotations are evaluated: their names are known here only.

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench import hookimpl
from hfcbench.detection_types import Detector
from hfcbench.hookspecs import Register
from hfcbench.models.torchvision_detectors import PyramidDetector, Share

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class FCOS(PyramidDetector):
    """FCOS of torchvision: a box at each position of a pyramid, without anchors.

    Its published weights have 39.2 mAP on COCO. The attributes are its bases'.
    """

    name: ClassVar[str] = "fcos"
    published: ClassVar[tuple[str, ...]] = ("backbone", "width", "channels")

    score_threshold: Share = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        # Its heads are normalised in 32 groups, each of which needs more than one filter.
        if self.channels < 64:
            self._refuse(f"needs channels of at least 64, not {self.channels}")

    def network(self, outputs: int) -> "nn.Module":
        from hfcbench.models.detectors.fcos import fcos

        return fcos(self, outputs)


@hookimpl
def hfcbench_register_models(register: Register[Detector]) -> None:
    register("fcos", FCOS, version="1")

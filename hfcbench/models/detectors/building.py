"""A detector for a dataset's classes, with its weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torchvision.models import detection
from torchvision.ops import FrozenBatchNorm2d

from hfcbench.models.detectors.categories import categories_of
from hfcbench.models.detectors.module import TorchvisionModule
from hfcbench.models.detectors.weights import load_file, published
from hfcbench.models.torchvision_detectors import TorchvisionDetector
from hfcbench.types import DataLocation

PUBLISHED = {
    "retinanet": detection.RetinaNet_ResNet50_FPN_Weights.COCO_V1,
    "faster-rcnn": detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1,
    "ssd": detection.SSD300_VGG16_Weights.COCO_V1,
    "fcos": detection.FCOS_ResNet50_FPN_Weights.COCO_V1,
}
# They were trained when FrozenBatchNorm2d still had no epsilon.
_WITHOUT_EPSILON = ("retinanet", "faster-rcnn")


def build_detector(
    detector: TorchvisionDetector, classes: Sequence[str], location: DataLocation
) -> TorchvisionModule:
    """The module of a detector for the classes of a dataset.

    Raises:
        SpecificationError: its weights do not know them.
        NodeError: its weights cannot be had, or are another network's.
    """
    categories = categories_of(detector, classes)
    network = detector.network(categories.count)
    if detector.weights == "coco":
        weights = PUBLISHED[detector.name]
        network.load_state_dict(published(weights, f"COCO's weights of '{detector.name}'"))
        if detector.name in _WITHOUT_EPSILON:
            _take_epsilon_away(network)
    elif detector.checkpoint is not None:
        load_file(network, location.find(detector.checkpoint))
    return TorchvisionModule(network, categories)


def _take_epsilon_away(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, FrozenBatchNorm2d):
            layer.eps = 0.0

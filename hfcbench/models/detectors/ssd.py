"""SSD300 of torchvision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from torch import nn
from torchvision.models import VGG16_Weights
from torchvision.models.detection import ssd300_vgg16

from hfcbench.models.detectors.weights import published

if TYPE_CHECKING:
    from hfcbench.models.torchvision_detectors import TorchvisionDetector

_TRAINED_LAYERS = 4
_FROZEN_CONVOLUTIONS = (13, 10, 7, 4, 2, 0)
"""For so many trained layers of VGG-16; a layer ends where it pools."""


def ssd(detector: TorchvisionDetector, outputs: int) -> nn.Module:
    """Torchvision's SSD300 on VGG-16, without a limit on how much it finds.

    Source: Liu et al. 2016.

    Raises:
        NodeError: the backbone's trained weights cannot be had.
    """
    network: nn.Module = ssd300_vgg16(
        weights=None,
        weights_backbone=None,
        num_classes=outputs,
        score_thresh=detector.score_threshold,
        detections_per_img=sys.maxsize,
    )
    convolutions = _of_vgg16(network)
    if detector.backbone_weights == "imagenet":
        _load_imagenet(convolutions)
    if detector.trained:
        given = detector.trainable_layers
        frozen = _FROZEN_CONVOLUTIONS[_TRAINED_LAYERS if given is None else given]
        for convolution in convolutions[:frozen]:
            convolution.requires_grad_(False)
    return network


def _of_vgg16(network: Any) -> list[nn.Conv2d]:
    """The 13 convolutions of the backbone that are VGG-16's, in its order."""
    layers = (*network.backbone.features, *network.backbone.extra[0])
    return [layer for layer in layers if isinstance(layer, nn.Conv2d)]


def _load_imagenet(convolutions: list[nn.Conv2d]) -> None:
    state = published(VGG16_Weights.IMAGENET1K_FEATURES, "ImageNet's weights of 'vgg16'")
    names = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    features = [name for name in names if name.startswith("features.")]
    for name, convolution in zip(features, convolutions, strict=True):
        convolution.load_state_dict({part: state[f"{name}.{part}"] for part in ("weight", "bias")})

"""ResNets with a feature pyramid."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import nn
from torchvision.models import get_model_weights
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.resnet import BasicBlock, Bottleneck, conv1x1
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool, LastLevelP6P7

from hfcbench.models.detectors.weights import published

if TYPE_CHECKING:
    from hfcbench.models.torchvision_detectors import PyramidDetector

_LAYERS = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}
_TRAINED_LAYERS = 3


def group_norm(filters: int) -> nn.GroupNorm:
    """32 groups, or as many as leave each 8 filters: the last level may be of a single pixel."""
    return nn.GroupNorm(math.gcd(32, filters // 8), filters)


_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "frozen": FrozenBatchNorm2d,
    "group": group_norm,
}


def pyramid(detector: PyramidDetector, first_stage: int, further: bool) -> BackboneWithFPN:
    """A ResNet and the pyramid on its stages, as torchvision's detectors have them.

    Takes ``(N,3,H,W)``, returns a map with ``detector.channels`` filters for each level by name.

    Args:
        detector: says which.
        first_stage: of four, from which on stages are read; the first is 4 pixels apart.
        further: two levels of convolutions on the last stage, otherwise one of pooling.

    Raises:
        NodeError: the backbone's trained weights cannot be had.
    """
    stages = range(first_stage, 5)
    body = resnet(detector.backbone, detector.width, _NORMS[detector.normalisation])
    if detector.backbone_weights == "imagenet":
        _load_imagenet(body, detector.backbone)
    if detector.trained:
        given = detector.trainable_layers
        _freeze(body, _TRAINED_LAYERS if given is None else given)
    block, _ = _LAYERS[detector.backbone]
    last: ExtraFPNBlock = (
        LastLevelP6P7(detector.channels, detector.channels) if further else LastLevelMaxPool()
    )
    return BackboneWithFPN(
        body,
        {f"layer{stage}": str(level) for level, stage in enumerate(stages)},
        [detector.width * 2 ** (stage - 1) * block.expansion for stage in stages],
        detector.channels,
        extra_blocks=last,
        norm_layer=group_norm if detector.normalisation == "group" else None,
    )


def resnet(name: str, width: int, norm: Callable[[int], nn.Module]) -> nn.Sequential:
    """A ResNet without its classifier; its layers have the names that torchvision gives them.

    Source: He, Zhang, Ren, Sun 2016, table 1, with torchvision's blocks and initialisation.

    Deviations: stages have 1, 2, 4 and 8 times ``width`` filters, the source's 64.
    """
    block, counts = _LAYERS[name]
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
        bn1=norm(width),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    inputs = width
    for stage, count in enumerate(counts):
        stride = 1 if stage == 0 else 2
        layers[f"layer{stage + 1}"] = _stage(block, inputs, width * 2**stage, count, stride, norm)
        inputs = width * 2**stage * block.expansion
    network = nn.Sequential(layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def _stage(
    block: type[BasicBlock | Bottleneck],
    inputs: int,
    filters: int,
    count: int,
    stride: int,
    norm: Callable[[int], nn.Module],
) -> nn.Sequential:
    outputs = filters * block.expansion
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(conv1x1(inputs, outputs, stride), norm(outputs))
    blocks = [block(inputs, filters, stride, shortcut, norm_layer=norm)]
    blocks += [block(outputs, filters, norm_layer=norm) for _ in range(1, count)]
    return nn.Sequential(*blocks)


def _load_imagenet(body: nn.Module, name: str) -> None:
    weights = get_model_weights(name)["IMAGENET1K_V1"]
    state = published(weights, f"ImageNet's weights of '{name}'")
    body.load_state_dict({key: value for key, value in state.items() if key[:3] != "fc."})


def _freeze(body: nn.Module, trained: int) -> None:
    """Leave so many of the five layers to be trained, the last ones."""
    kept = ["layer4", "layer3", "layer2", "layer1", "conv1"][:trained]
    kept += ["bn1"] if trained == 5 else []
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(name.partition(".")[0] in kept)

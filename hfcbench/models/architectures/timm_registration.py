"""The built-in networks as timm models: import this module, then ``timm.create_model`` knows them.

``timm.create_model("hfcbench_lenet5", num_classes=10, in_chans=3, img_size=32, width=6)`` gives the
module that ``lenet5`` gives in a suite. Further arguments: ``batchnorm`` and ``drop_rate``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import nn

from hfcbench.models.alexnet import AlexNet
from hfcbench.models.lenet5 import LeNet5
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.models.resnet18 import ResNet18
from hfcbench.models.vgg import Vgg11, Vgg16
from hfcbench.types import ImageShape, Model, ModelOptions


def _configuration(fixed_input_size: bool, first_conv: str, classifier: str) -> dict[str, Any]:
    """What timm says of a model: no weights, images in [0,1] as they are."""
    return {
        "num_classes": 10,
        "input_size": (3, 32, 32),
        "fixed_input_size": fixed_input_size,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "first_conv": first_conv,
        "classifier": classifier,
    }


default_cfgs = generate_default_cfgs(
    {
        "hfcbench_lenet5": _configuration(True, "features.0", "classifier.7"),
        "hfcbench_alexnet": _configuration(True, "features.0", "classifier.7"),
        "hfcbench_vgg11": _configuration(True, "features.0", "classifier.7"),
        "hfcbench_vgg16": _configuration(True, "features.0", "classifier.7"),
        "hfcbench_resnet18": _configuration(False, "stem", "classifier"),
        "hfcbench_preact_resnet32": _configuration(False, "stem.0", "classifier"),
    }
)


@register_model
def hfcbench_lenet5(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """LeNet-5 for images from 12 pixels."""
    return _create("hfcbench_lenet5", LeNet5, pretrained, arguments)


@register_model
def hfcbench_alexnet(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """AlexNet for images from 8 pixels."""
    return _create("hfcbench_alexnet", AlexNet, pretrained, arguments)


@register_model
def hfcbench_vgg11(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """VGG-11 for images from 17 pixels."""
    return _create("hfcbench_vgg11", Vgg11, pretrained, arguments)


@register_model
def hfcbench_vgg16(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """VGG-16 for images from 17 pixels."""
    return _create("hfcbench_vgg16", Vgg16, pretrained, arguments)


@register_model
def hfcbench_resnet18(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """ResNet-18 for images from 9 pixels."""
    return _create("hfcbench_resnet18", ResNet18, pretrained, arguments)


@register_model
def hfcbench_preact_resnet32(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """The paper's residual network for images from 5 pixels."""
    return _create("hfcbench_preact_resnet32", PreactResNet32, pretrained, arguments)


def _create(
    name: str, declared: Callable[..., Model], pretrained: bool, arguments: dict[str, Any]
) -> nn.Module:
    module: nn.Module = build_model_with_cfg(
        partial(_build, declared), name, pretrained, **arguments
    )
    return module


def _build(
    declared: Callable[..., Model],
    num_classes: int = 10,
    in_chans: int = 3,
    img_size: int | tuple[int, int] = 32,
    width: int | None = None,
    batchnorm: bool = False,
    drop_rate: float = 0.0,
) -> nn.Module:
    height, columns = (img_size, img_size) if isinstance(img_size, int) else img_size
    model = declared() if width is None else declared(width=width)
    options = ModelOptions(batchnorm=batchnorm, dropout=drop_rate)
    network: Any = model.build(ImageShape(in_chans, height, columns), num_classes, options)
    # timm's own tools ask its models for this.
    network.num_classes = num_classes
    return cast("nn.Module", network)

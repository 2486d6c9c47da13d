"""VGG-11 and VGG-16 for small images of any size from 17 pixels."""

from __future__ import annotations

from typing import Literal

from torch import nn

from hfcbench.models.architectures.layers import (
    PlainNetwork,
    convolution_block,
    fully_connected_head,
)
from hfcbench.types import ImageShape, ModelOptions

# Per stage, the filters of each convolution as multiples of the width; pooling ends a stage.
_STAGES = {
    11: ((1,), (2,), (4, 4), (8, 8), (8, 8)),
    16: ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8), (8, 8, 8)),
}


def vgg(
    depth: Literal[11, 16], shape: ImageShape, classes: int, options: ModelOptions, width: int
) -> nn.Module:
    """Configuration A (11 layers) or D (16 layers) of the source, whose filters are width 64.

    Source: Simonyan and Zisserman 2015, table 1.

    Deviations, for small images: pooling keeps an odd last row or column, so that five times
    halving leaves something of 28 pixels, and the hidden layers have ``8 * width`` units.
    """
    layers: list[nn.Module] = []
    inputs = shape.channels
    for stage in _STAGES[depth]:
        for multiple in stage:
            layers += convolution_block(
                inputs, multiple * width, 3, padding=1, batchnorm=options.batchnorm
            )
            inputs = multiple * width
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    features = inputs * -(-shape.height // 32) * -(-shape.width // 32)
    classifier = fully_connected_head(features, (8 * width, 8 * width), classes, options.dropout)
    return PlainNetwork(nn.Sequential(*layers), classifier)

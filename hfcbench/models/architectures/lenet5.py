"""LeNet-5 for images of any size from 12 pixels."""

from __future__ import annotations

from torch import nn

from hfcbench.models.architectures.layers import (
    PlainNetwork,
    convolution_block,
    fully_connected_head,
)
from hfcbench.types import ImageShape, ModelOptions


def lenet5(shape: ImageShape, classes: int, options: ModelOptions, width: int) -> nn.Module:
    """Two 5x5 convolutions and three fully connected layers.

    At ``width`` 6 these have 6 and 16 filters, 120, 84 and ``classes`` units, as in the source;
    other widths scale all of them.

    Source: LeCun, Bottou, Bengio, Haffner 1998, figure 2.

    Deviations: ReLU for tanh, max pooling for trainable averages, every filter sees all channels,
    a linear output layer; the first convolution is padded, so that 28 pixels are enough for the
    source's 5x5 final map.
    """
    second = round(width * 16 / 6)
    height, columns = ((size // 2 - 4) // 2 for size in (shape.height, shape.width))
    features = nn.Sequential(
        *convolution_block(shape.channels, width, 5, padding=2, batchnorm=options.batchnorm),
        nn.MaxPool2d(2),
        *convolution_block(width, second, 5, padding=0, batchnorm=options.batchnorm),
        nn.MaxPool2d(2),
    )
    classifier = fully_connected_head(
        second * height * columns, (width * 20, width * 14), classes, options.dropout
    )
    return PlainNetwork(features, classifier)

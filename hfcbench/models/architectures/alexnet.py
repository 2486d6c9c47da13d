"""AlexNet for small images of any size from 8 pixels."""

from __future__ import annotations

from torch import nn

from hfcbench.models.architectures.layers import (
    PlainNetwork,
    convolution_block,
    fully_connected_head,
)
from hfcbench.types import ImageShape, ModelOptions


def alexnet(shape: ImageShape, classes: int, options: ModelOptions, width: int) -> nn.Module:
    """Five convolutions of ``width`` times 1, 3, 6, 4, 4 filters, three fully connected layers.

    Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks",
    whose filter counts are those of width 64.

    Deviations, for small images: the first convolution is 5x5 with stride 1 instead of 11x11 with
    stride 4, pooling is 2x2, and the hidden layers have ``16 * width`` units instead of 64 * width.
    """
    filters = [shape.channels, width, 3 * width, 6 * width, 4 * width, 4 * width]
    kernels = (5, 5, 3, 3, 3)
    pooled_after = (0, 1, 4)
    layers: list[nn.Module] = []
    for index, kernel in enumerate(kernels):
        layers += convolution_block(
            filters[index],
            filters[index + 1],
            kernel,
            padding=kernel // 2,
            batchnorm=options.batchnorm,
        )
        if index in pooled_after:
            layers.append(nn.MaxPool2d(2))
    features = 4 * width * (shape.height // 8) * (shape.width // 8)
    hidden = (16 * width, 16 * width)
    classifier = fully_connected_head(features, hidden, classes, options.dropout)
    return PlainNetwork(nn.Sequential(*layers), classifier)

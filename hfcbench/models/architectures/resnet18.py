"""ResNet-18 for small images of any size from 9 pixels."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from hfcbench.models.architectures.layers import initialise
from hfcbench.types import ImageShape, ModelOptions


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, ReLU after their sum."""

    def __init__(self, inputs: int, outputs: int, stride: int, batchnorm: bool) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride, batchnorm)
        self.second = _convolution(outputs, outputs, 3, 1, batchnorm)
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = (
            nn.Identity() if same else _convolution(inputs, outputs, 1, stride, batchnorm)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        branch = self.second(F.relu(self.first(features), inplace=True))
        return F.relu(branch + self.shortcut(features), inplace=True)


class ResNet18Network(nn.Module):
    """A 3x3 convolution, four stages of two blocks with 1, 2, 4, 8 times ``width`` filters.

    Takes ``(N,C,H,W)`` float images in [0,1], returns logits ``(N,classes)``.

    Source: He, Zhang, Ren, Sun 2016, table 1, with projections where a shortcut changes shape.

    Deviations: the stem is one 3x3 convolution of stride 1 without pooling, for small images;
    BatchNorm only where ``options`` ask for it (convolutions then have no bias); dropout, which
    the source has not, before the fully connected layer.
    """

    def __init__(self, shape: ImageShape, classes: int, options: ModelOptions, width: int) -> None:
        super().__init__()
        self.stem = _convolution(shape.channels, width, 3, 1, options.batchnorm)
        blocks: list[nn.Module] = []
        inputs = width
        for stage in range(4):
            outputs = width * 2**stage
            stride = 1 if stage == 0 else 2
            blocks.append(_Block(inputs, outputs, stride, options.batchnorm))
            blocks.append(_Block(outputs, outputs, 1, options.batchnorm))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(options.dropout)
        self.classifier = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.blocks(F.relu(self.stem(images)))  # (N,8*width,H/8,W/8)
        pooled = features.mean(dim=(2, 3))
        logits: torch.Tensor = self.classifier(self.dropout(pooled))
        return logits


def _convolution(inputs: int, outputs: int, kernel: int, stride: int, batchnorm: bool) -> nn.Module:
    convolution = nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, bias=not batchnorm
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs)) if batchnorm else convolution

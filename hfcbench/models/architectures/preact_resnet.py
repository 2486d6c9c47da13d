"""The paper's residual network with 32 layers, for images of any size from 5 pixels."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from hfcbench.models.architectures.layers import initialise
from hfcbench.types import ImageShape, ModelOptions

STAGES = 3
BLOCKS_PER_STAGE = 5


class _Block(nn.Module):
    """Two 3x3 convolutions, each after BatchNorm (where asked for) and ReLU, added to the input.

    Where filters double, the first convolution has stride 2, and the input is averaged over 2x2
    pixels and padded with channels of zeros, half of them before and half behind its own.
    """

    def __init__(self, inputs: int, outputs: int, batchnorm: bool, activated: bool) -> None:
        super().__init__()
        self._halve = inputs != outputs
        self._padding = (outputs - inputs) // 2, outputs - inputs - (outputs - inputs) // 2
        # What the stem hands on has been through BatchNorm and ReLU already.
        self.before_first = nn.Identity() if activated else _activation(inputs, batchnorm)
        self.first = _convolution(inputs, outputs, stride=2 if self._halve else 1)
        self.before_second = _activation(outputs, batchnorm)
        self.second = _convolution(outputs, outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        branch: torch.Tensor = self.second(
            self.before_second(self.first(self.before_first(features)))
        )
        if self._halve:
            features = F.avg_pool2d(features, 2, ceil_mode=True)
            features = F.pad(features, (0, 0, 0, 0, *self._padding))
        return branch + features


class PreactResNet32Network(nn.Module):
    """A 3x3 convolution, then three stages of five blocks with 1, 2, 4 times ``width`` filters.

    Takes ``(N,C,H,W)`` float images in [0,1], returns logits ``(N,classes)``.

    Source: the authors' reference code (HaohanWang/HFC, scripts/resnet.py), where width is 16: no
    convolution has a bias; with BatchNorm every ReLU but the last follows one. The design is that
    of He, Zhang, Ren, Sun 2016, "Identity mappings in deep residual networks".

    Deviations: the output layer starts after Xavier like all others; the stride of 2 samples even
    instead of odd pixels; dropout, where asked for, is on the pooled features, the input of the
    only fully connected layer.
    """

    def __init__(self, shape: ImageShape, classes: int, options: ModelOptions, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(shape.channels, width), _activation(width, options.batchnorm)
        )
        blocks: list[nn.Module] = []
        inputs = width
        for stage in range(STAGES):
            for _ in range(BLOCKS_PER_STAGE):
                outputs = width * 2**stage
                blocks.append(_Block(inputs, outputs, options.batchnorm, activated=not blocks))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(options.dropout)
        self.classifier = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = F.relu(self.blocks(self.stem(images)))  # (N,4*width,H/4,W/4)
        pooled = features.mean(dim=(2, 3))
        logits: torch.Tensor = self.classifier(self.dropout(pooled))
        return logits


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def _activation(channels: int, batchnorm: bool) -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if batchnorm else nn.ReLU()

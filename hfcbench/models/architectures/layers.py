"""What the built-in networks are made of, and how their weights start."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def convolution_block(
    inputs: int, outputs: int, kernel: int, *, padding: int, batchnorm: bool
) -> list[nn.Module]:
    """Convolution of stride 1, BatchNorm where asked for, ReLU.

    BatchNorm has an offset of its own, so a convolution before it has no bias.
    """
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=not batchnorm)
    normalisation = [nn.BatchNorm2d(outputs)] if batchnorm else []
    return [convolution, *normalisation, nn.ReLU(inplace=True)]


def fully_connected_head(
    features: int, hidden: Sequence[int], classes: int, dropout: float
) -> nn.Sequential:
    """Hidden fully connected layers with ReLU, then one without; dropout before each of them.

    Takes ``(N,features)``, returns logits ``(N,classes)``.
    """
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Dropout(dropout), nn.Linear(features, width), nn.ReLU(inplace=True)]
        features = width
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(features, classes))


def initialise(network: nn.Module, gain: float = 1.0) -> None:
    """Start as the paper's vanilla set-up does: weights uniform after Xavier, biases zero.

    A weight is drawn from U(-a, a), ``a = gain * sqrt(6 / (fan_in + fan_out))``. BatchNorm keeps
    its own start, scale 1 and offset 0. Draws from torch's global generator.

    Source: Glorot and Bengio 2010, equation 16.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight, gain=gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class PlainNetwork(nn.Module):
    """A network without shortcuts: convolutions, then fully connected layers.

    Takes ``(N,C,H,W)`` float images in [0,1], returns logits ``(N,classes)``.
    """

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier
        # ReLU halves the mean square of what passes it. Without shortcuts or BatchNorm to make up
        # for that, VGG-16 would start with logits so close to 0 that it hardly learns.
        initialise(self, gain=nn.init.calculate_gain("relu"))
        initialise(self.classifier[-1])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images).flatten(1)
        logits: torch.Tensor = self.classifier(features)
        return logits

"""Small models for benchmarks of attacks and training, some trained, and images of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.datasets.photo_patches import PhotoPatches
from hfcbench.datasets.planted_band import PlantedBand
from hfcbench.models.resnet18 import ResNet18
from hfcbench.types import ImageShape, ModelOptions

BATCH = 50


@dataclass(frozen=True)
class Attacked:
    """A model in evaluation mode, test images ``(N,3,32,32)`` in [0,1], and labels ``(N,)``."""

    model: nn.Module
    images: Tensor
    labels: Tensor

    def first(self, count: int) -> Attacked:
        return Attacked(self.model, self.images[:count], self.labels[:count])

    def accuracy(self, images: Tensor) -> float:
        with torch.no_grad():
            return float((self.model(images).argmax(1) == self.labels).float().mean())


def small_cnn() -> nn.Module:
    """Four convolutions with BatchNorm."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, stride in ((32, 1), (32, 2), (64, 1), (64, 2)):
        convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def resnet18() -> nn.Module:
    return ResNet18(16).build(ImageShape(3, 32, 32), 10, ModelOptions(batchnorm=True))


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride)
        self.second = _convolution(outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, 1, stride)

    def forward(self, features: Tensor) -> Tensor:
        branch = self.second(F.relu(self.first(features)))
        return F.relu(branch + self.shortcut(features))


def resnet20() -> nn.Module:
    return _cifar_resnet(3)


def resnet8() -> nn.Module:
    return _cifar_resnet(1)


def _cifar_resnet(blocks_per_stage: int) -> nn.Module:
    """He et al. 2016, section 4.2, with projections where a shortcut changes shape."""
    blocks: list[nn.Module] = []
    inputs = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        blocks += [_Block(inputs, outputs, stride)]
        blocks += [_Block(outputs, outputs, 1) for _ in range(blocks_per_stage - 1)]
        inputs = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(_convolution(3, 16, 3, 1), nn.ReLU(), *blocks, *head)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


PHOTOGRAPHS = PhotoPatches()
# Evidence that people barely see: natural training follows it, and two or three steps remove it.
FRAGILE = PlantedBand(inner=6, outer=16, evidence=0.04, noise=0.1)


@cache
def trained(build: Callable[[], nn.Module], dataset: Any, *, epochs: int = 1) -> Attacked:
    """A model after a short natural training, and its test images, shuffled."""
    torch.manual_seed(0)
    model = build()
    train_images, train_labels = _read(dataset, "train")
    batches = len(train_images) // BATCH
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs * batches)
    for _ in range(epochs):
        for batch in torch.randperm(len(train_images)).split(BATCH)[:batches]:
            loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    test_images, test_labels = _read(dataset, "test")
    order = torch.randperm(len(test_images))
    return Attacked(model.eval(), test_images[order], test_labels[order])


def _read(dataset: Any, split: str) -> tuple[Tensor, Tensor]:
    chunks = list(dataset.read(None, split))
    pixels = torch.from_numpy(np.concatenate([pixels for pixels, _ in chunks])).float() / 255
    labels = torch.from_numpy(np.concatenate([labels for _, labels in chunks]))
    return pixels.expand(-1, 3, -1, -1).contiguous(), labels

"""Pictures of bright squares, and a detector that sees brightness and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hfcbench.detection_types import Found, Objects, Picture, Target
from hfcbench.metrics import average_precision, average_recall
from hfcbench.types import DataLocation, DatasetDescription, ImageShape

CLASSES = ("dim", "bright")
LEVELS = (120, 240)


def picture(index: int, *, objects: int = 1) -> Picture:
    """A black picture with a dim or a bright square; sizes and places follow from the number."""
    height, width = 32 + 4 * (index % 3), 40
    left, top, side = 4 + index % 9, 3 + index % 5, 10 + index % 4
    boxes = np.array([[left, top, left + side, top + side]] * objects, np.float32).reshape(-1, 4)
    classes = np.full(objects, index % 2, np.int64)

    def read() -> np.ndarray:
        pixels = np.zeros((3, height, width), np.uint8)
        if objects:
            pixels[:, top : top + side, left : left + side] = LEVELS[index % 2]
        return pixels

    return Picture(
        name=f"{index:03}.png",
        height=height,
        width=width,
        objects=Objects(boxes, classes, np.full(objects, side**2, np.float32), classes == -1),
        content=f"content {index} {objects}",
        read=read,
    )


@dataclass(frozen=True)
class Squares:
    """As many pictures as it is told, in both splits."""

    task: ClassVar = "detection"
    train: int = 12
    test: int = 6

    def prepare(self, location: DataLocation) -> None:
        pass

    def describe(self, location: DataLocation) -> DatasetDescription:
        sizes = {"train": self.train, "test": self.test}
        return DatasetDescription(CLASSES, ImageShape(3, 40, 40), sizes, "1", "detection")

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        start = 100 if split == "test" else 0
        return [picture(start + index) for index in range(getattr(self, split))]


class SeesBrightness(nn.Module):
    """One box around all that is not black; its class by the brightest pixel.

    What it learns is a shift of all boxes that is not there, starting from about 8 pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(8 + torch.rand(4))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, images: Tensor) -> list[Found]:
        return [self._found(image) for image in images]

    def _found(self, image: Tensor) -> Found:
        lit = (image.amax(0) > 0.2).nonzero()
        if not len(lit):
            empty = torch.zeros(0, device=image.device)
            return Found(empty.view(0, 4), empty, empty.long())
        low, high = lit.amin(0).flip(0), lit.amax(0).flip(0) + 1
        box = torch.cat([low, high]).float() + self.shift
        return Found(box[None], image.amax()[None], (image.amax() > 0.7).long()[None])

    def loss(self, images: Sequence[Tensor], targets: Sequence[Target]) -> Tensor:
        assert self.training
        self.seen += len(images)
        losses = [
            (found.boxes - target.boxes).square().mean()
            for image, target in zip(images, targets, strict=True)
            if len((found := self._found(image)).boxes)
        ]
        return torch.stack(losses).mean()


@dataclass(frozen=True)
class Brightness:
    """Builds detectors that see brightness."""

    task: ClassVar = "detection"

    def check(self, classes: Sequence[str]) -> None:
        pass

    def files_sha256(self, location: DataLocation) -> str | None:
        return None

    def build(self, classes: Sequence[str], location: DataLocation) -> nn.Module:
        return SeesBrightness()


@pytest.fixture
def squares() -> type[Squares]:
    return Squares


@pytest.fixture
def brightness() -> type[Brightness]:
    return Brightness


@pytest.fixture
def detector() -> nn.Module:
    """A detector that finds every square exactly."""
    module = SeesBrightness()
    nn.init.zeros_(module.shift)
    return module


@pytest.fixture
def make_picture() -> Callable[..., Picture]:
    return picture


@pytest.fixture
def registry_metrics() -> dict[str, type]:
    """What the built-in modules register, by name."""
    found: dict[str, type] = {}
    for module in (average_precision, average_recall):
        module.hfcbench_register_metrics(
            lambda name, factory, *, version: found.update({name: factory})
        )
    return found

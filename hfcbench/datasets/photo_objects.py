"""photo-objects: find things of six kinds that lie on photographs. Offline, for detectors.

The photographs are those of photo-patches. A strip at one side of each is for testing and the rest
for training, so that the splits share no pixel of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.datasets.photo_scenes import CLASSES, Scene, draw_scene
from hfcbench.datasets.photographs import PHOTOGRAPHS, photograph_of, photographs_sha256
from hfcbench.detection_types import DetectionDataset, Picture
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, DatasetDescription, ImageShape

_NUMBERS = {"train": 1, "test": 2}


@dataclass(frozen=True)
class PhotoObjects:
    """Things of six kinds, drawn onto photographs that scikit-image carries. Offline.

    Triangles and rings are known by their outline, which has all frequencies. Striped and checked
    discs differ in nothing but a texture of 4 pixels' period, and so in high frequencies only;
    light and dark squares in nothing but a smooth swelling, and so in low frequencies only.

    Attributes:
        train, test: number of pictures; the first of them are the same for all numbers.
        size: of most pictures in pixels; some are a fifth wider, and some a tenth less high.
        seed: of everything that is drawn.
    """

    train: Annotated[int, Interval(ge=0, le=20_000)] = 400
    test: Annotated[int, Interval(ge=1, le=20_000)] = 120
    size: Annotated[int, Interval(ge=80, le=160)] = 160
    seed: Annotated[int, Ge(0)] = 0

    task: ClassVar[Literal["detection"]] = "detection"

    def prepare(self, location: DataLocation) -> None:
        """Nothing to do: scikit-image is installed."""

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Six classes, RGB pictures of three sizes."""
        sizes = self._sizes()
        return DatasetDescription(
            classes=CLASSES,
            shape=ImageShape(
                3, max(height for height, _ in sizes), max(width for _, width in sizes)
            ),
            sizes={"train": self.train, "test": self.test},
            source=photographs_sha256(),
            task="detection",
        )

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        """All pictures of a split are drawn to hash them, and drawn again whenever they are read.

        ``content`` is the sha256 of a picture's pixels.
        """
        count = self.train if split == "train" else self.test
        return [self._picture(split, index) for index in range(count)]

    def _picture(self, split: str, index: int) -> Picture:
        scene = self.scene(split, index)
        _, height, width = scene.pixels.shape
        return Picture(
            f"{split}-{index:05d}",
            height,
            width,
            scene.objects,
            hashlib.sha256(scene.pixels.tobytes()).hexdigest(),
            partial(self._pixels, split, index),
        )

    def _pixels(self, split: str, index: int) -> NDArray[np.uint8]:
        return self.scene(split, index).pixels

    def scene(self, split: str, index: int) -> Scene:
        """The scene of one picture, drawn now."""
        draw = np.random.default_rng((self.seed, _NUMBERS[split], index))
        sizes = self._sizes()
        height, width = sizes[int(draw.integers(len(sizes)))]
        region = self._region(int(draw.integers(len(PHOTOGRAPHS))), split)
        top = int(draw.integers(region.shape[0] - height + 1))
        left = int(draw.integers(region.shape[1] - width + 1))
        return draw_scene(region[top : top + height, left : left + width], draw)

    def _sizes(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths; half of the pictures are square."""
        square = (self.size, self.size)
        return square, square, (self.size, self.size * 6 // 5), (self.size * 9 // 10, self.size)

    def _region(self, number: int, split: str) -> NDArray[np.uint8]:
        """The part ``(H,W,3)`` of a photograph that is for a split."""
        photograph = _photograph(PHOTOGRAPHS[number])
        width = photograph.shape[1]
        # The widest picture fits into this part of the narrowest photograph.
        strip = width * 3 // 7
        on_left = np.random.default_rng((self.seed, number)).integers(2) == 0
        if split == "test":
            return photograph[:, :strip] if on_left else photograph[:, width - strip :]
        return photograph[:, strip:] if on_left else photograph[:, : width - strip]


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(name: str) -> NDArray[np.uint8]:
    return photograph_of(name)


@hookimpl
def hfcbench_register_datasets(register: Register[DetectionDataset]) -> None:
    register("photo-objects", PhotoObjects, version="1")

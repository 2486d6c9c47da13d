"""photo-patches: which photograph does this patch come from?

The photographs are PNG files in scikit-image's wheel, so the dataset needs no download and is the
same on every machine. Each photograph is one class. It is cut into square tiles; a tile's patches
are all for training or all for testing, so that the splits share no pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.datasets.photographs import PHOTOGRAPHS, photograph_of
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, Dataset, DatasetDescription, ImageShape

TILE = 48
_TEST_TILES = 0.25


@dataclass(frozen=True)
class PhotoPatches:
    """Patches of ten photographs that scikit-image carries; which photograph is it? Offline.

    Attributes:
        train_per_class, test_per_class: number of patches from each photograph.
        size: height and width of a patch in pixels.
        seed: of the choice of tiles and of the places of the patches.
    """

    train_per_class: Annotated[int, Ge(1)] = 400
    test_per_class: Annotated[int, Ge(1)] = 100
    size: Annotated[int, Interval(ge=8, le=TILE)] = 32
    seed: Annotated[int, Ge(0)] = 0

    def prepare(self, location: DataLocation) -> None:
        """Nothing to do: scikit-image is installed."""

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Ten classes, RGB patches."""
        classes = len(PHOTOGRAPHS)
        return DatasetDescription(
            classes=PHOTOGRAPHS,
            shape=ImageShape(3, self.size, self.size),
            sizes={
                "train": classes * self.train_per_class,
                "test": classes * self.test_per_class,
            },
            source="scikit-image",
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """One chunk per photograph, in the order of the classes."""
        count = self.train_per_class if split == "train" else self.test_per_class
        for label, name in enumerate(PHOTOGRAPHS):
            photograph = photograph_of(name)
            tiles = self._tiles(photograph, label)[split]
            patches = self._patches(photograph, tiles, count, label, split)
            yield patches, np.full(count, label, dtype=np.int64)

    def _tiles(self, photograph: NDArray[np.uint8], label: int) -> dict[str, NDArray[np.int64]]:
        """Upper left corners ``(T,2)`` of the tiles of both splits."""
        height, width, _ = photograph.shape
        corners = np.array(
            [
                (top, left)
                for top in range(0, height - TILE + 1, TILE)
                for left in range(0, width - TILE + 1, TILE)
            ]
        )
        order = np.random.default_rng((self.seed, label)).permutation(len(corners))
        test = max(1, round(_TEST_TILES * len(corners)))
        return {"test": corners[order[:test]], "train": corners[order[test:]]}

    def _patches(
        self,
        photograph: NDArray[np.uint8],
        tiles: NDArray[np.int64],
        count: int,
        label: int,
        split: str,
    ) -> NDArray[np.uint8]:
        """Patches ``(count,3,size,size)`` at random places, equally many from each tile."""
        draw = np.random.default_rng((self.seed, label, 1 if split == "train" else 2))
        corners = tiles[np.arange(count) % len(tiles)]
        places = corners + draw.integers(0, TILE - self.size + 1, size=(count, 2))
        patches = np.stack(
            [photograph[top : top + self.size, left : left + self.size] for top, left in places]
        )
        return np.ascontiguousarray(patches.transpose(0, 3, 1, 2))


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    register("photo-patches", PhotoPatches, version="2")

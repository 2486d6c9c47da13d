"""image-folder:PATH: one's own images, a folder for each split and class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.datasets.files import signature
from hfcbench.errors import DataError
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, Dataset, DatasetDescription, ImageShape

_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_TEST_FOLDERS = ("test", "val", "validation")
_CHUNK = 256


@dataclass(frozen=True)
class ImageFolder:
    """Your own images: PATH/train/CLASS/*.png and PATH/test/CLASS/*.png (or val).

    Attributes:
        path: the folder, absolute, or relative to --data-root or the working folder.
        size: scale the shorter side to this and crop the middle; None takes images as they are,
            which must then all have one size.
        channels: 3 for colour, 1 for grey; images are converted.
    """

    path: str
    size: Annotated[int, Ge(8)] | None = None
    channels: Literal[1, 3] = 3

    def prepare(self, location: DataLocation) -> None:
        """Raise DataError unless both splits are there with the same classes."""
        folder = self._folder(location)
        classes = {split: _subfolders(self._split(folder, split)) for split in ("train", "test")}
        if classes["train"] != classes["test"]:
            odd = sorted(set(classes["train"]) ^ set(classes["test"]))
            raise DataError(f"{folder}: class '{odd[0]}' is not in both train and test")
        if not classes["train"]:
            raise DataError(f"{folder / 'train'} has no folder of a class")

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Classes are folder names in alphabetical order."""
        folder = self._folder(location)
        files = {split: self._files(folder, split) for split in ("train", "test")}
        every = [path for split in files.values() for path, _ in split]
        if not every:
            raise DataError(f"{folder} holds no images; known are {', '.join(sorted(_SUFFIXES))}")
        height, width = self._load(every[0]).shape[:2]
        return DatasetDescription(
            classes=tuple(_subfolders(self._split(folder, "train"))),
            shape=ImageShape(self.channels, height, width),
            sizes={split: len(paths) for split, paths in files.items()},
            source=signature(folder, every),
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Images in the order of classes and file names."""
        shape = None
        for chunk in _chunks(self._files(self._folder(location), split)):
            images = []
            for path, _ in chunk:
                image = self._load(path)
                shape = shape or image.shape
                if image.shape != shape:
                    raise DataError(
                        f"{path} is {image.shape[1]}x{image.shape[0]} pixels, others are "
                        f"{shape[1]}x{shape[0]}",
                        hint="give a size: image-folder(path=..., size=...)",
                    )
                images.append(image)
            pixels = np.stack(images).transpose(0, 3, 1, 2)
            yield np.ascontiguousarray(pixels), np.array([label for _, label in chunk])

    def _folder(self, location: DataLocation) -> Path:
        under_root = (location.root or Path()) / self.path
        folder = under_root if under_root.is_dir() else Path(self.path)
        if not folder.is_dir():
            raise DataError(f"there is no folder {under_root}")
        return folder

    def _split(self, folder: Path, split: str) -> Path:
        names = ("train",) if split == "train" else _TEST_FOLDERS
        for name in names:
            if (folder / name).is_dir():
                return folder / name
        raise DataError(f"{folder} has no folder {' or '.join(names)}")

    def _files(self, folder: Path, split: str) -> list[tuple[Path, int]]:
        """Each image of a split with its label."""
        parent = self._split(folder, split)
        return [
            (path, label)
            for label, name in enumerate(_subfolders(parent))
            for path in sorted((parent / name).iterdir())
            if path.suffix.lower() in _SUFFIXES
        ]

    def _load(self, path: Path) -> NDArray[np.uint8]:
        """One image ``(H,W,C)`` uint8."""
        from PIL import Image, ImageOps

        try:
            with Image.open(path) as opened:
                image = opened.convert("RGB" if self.channels == 3 else "L")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"the image {path} cannot be read: {error}") from error
        if self.size is not None:
            image = ImageOps.fit(image, (self.size, self.size), Image.Resampling.BICUBIC)
        return np.asarray(image).reshape(image.height, image.width, self.channels)


def _subfolders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _chunks(files: list[tuple[Path, int]]) -> Iterator[list[tuple[Path, int]]]:
    for start in range(0, len(files), _CHUNK):
        yield files[start : start + _CHUNK]


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    register("image-folder", ImageFolder, version="1", argument="path")

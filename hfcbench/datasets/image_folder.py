"""image-folder:PATH: one's own images, a folder for each split and class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.datasets.files import signature
from hfcbench.datasets.pictures import PictureError, load_picture
from hfcbench.errors import DataError
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, DataPath, Dataset, DatasetDescription, ImageShape

_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_FOLDERS = {"train": ("train",), "test": ("test", "val", "validation")}
_CHUNK = 256
_MOST_NAMED = 5


@dataclass(frozen=True)
class ImageFolder:
    """Your own images: PATH/train/CLASS/*.png and PATH/test/CLASS/*.png (or val).

    Attributes:
        path: the folder, absolute, or relative to --data-root or the working folder; one that a
            suite file names must lie below --data-root (without that, the working folder).
        size: scale the shorter side to this and crop the middle; None takes images as they are,
            which must then all have one size.
        channels: 3 for colour, 1 for grey; images are converted.
    """

    path: DataPath
    size: Annotated[int, Ge(8)] | None = None
    channels: Literal[1, 3] = 3

    def prepare(self, location: DataLocation) -> None:
        """Raise DataError unless both splits are there, with images of the same classes."""
        folder = self._folder(location)
        classes = {split: _subfolders(_split_folder(folder, split)) for split in _FOLDERS}
        if classes["train"] != classes["test"]:
            odd = sorted(set(classes["train"]) ^ set(classes["test"]))
            raise DataError(f"{folder}: class '{odd[0]}' is not in both train and test")
        if not classes["train"]:
            raise DataError(f"{folder / 'train'} has no folder of a class")
        for split, names in classes.items():
            present = {label for _, label in _files(folder, split)}
            empty = [name for label, name in enumerate(names) if label not in present]
            if empty:
                raise DataError(
                    f"{_split_folder(folder, split) / empty[0]} holds no images",
                    hint="known are " + ", ".join(sorted(_SUFFIXES)),
                )

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Classes are folder names in alphabetical order."""
        folder = self._folder(location)
        files = {split: _files(folder, split) for split in _FOLDERS}
        try:
            height, width, _ = self._load(files["train"][0][0]).shape
        except PictureError as error:
            raise self._all_problems(folder, None) from error
        return DatasetDescription(
            classes=tuple(_subfolders(_split_folder(folder, "train"))),
            shape=ImageShape(self.channels, height, width),
            sizes={split: len(paths) for split, paths in files.items()},
            source=signature(folder, (path for paths in files.values() for path, _ in paths)),
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Images in the order of classes and file names.

        Raises:
            DataError: some images of either split are unusable; names them.
        """
        folder = self._folder(location)
        shape = self.describe(location).shape
        for chunk in _chunks(_files(folder, split)):
            try:
                images = [self._load(path, shape) for path, _ in chunk]
            except PictureError as error:
                raise self._all_problems(folder, shape) from error
            pixels = np.stack(images).transpose(0, 3, 1, 2)
            yield np.ascontiguousarray(pixels), np.array([label for _, label in chunk])

    def _folder(self, location: DataLocation) -> Path:
        folder = location.find(self.path)
        if not os.path.isdir(folder):
            raise DataError(
                f"there is no folder {folder}",
                hint="hfcbench run --dataset image-folder:PATH takes PATH/train/CLASS/*.png and "
                "PATH/test/CLASS/*.png",
            )
        return folder

    def _load(self, path: Path, shape: ImageShape | None = None) -> NDArray[np.uint8]:
        """One image ``(H,W,C)``, of the given shape."""
        image = load_picture(path, channels=self.channels, size=self.size)
        height, width, _ = image.shape
        if shape is not None and (height, width) != (shape.height, shape.width):
            raise PictureError(
                f"{width}x{height} pixels, the first has {shape.width}x{shape.height}"
            )
        return image

    def _all_problems(self, folder: Path, shape: ImageShape | None) -> DataError:
        """One message for everything that is wrong with the images of both splits."""
        paths = [path for split in _FOLDERS for path, _ in _files(folder, split)]
        problems = []
        for path in paths:
            try:
                self._load(path, shape)
            except PictureError as error:
                problems.append(f"{path.relative_to(folder)} ({error})")
        named = ", ".join(problems[:_MOST_NAMED])
        more = f" and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        hint = "repair or remove them"
        if "pixels, the first has" in named:
            hint = f"give a size that all are scaled to: 'image-folder(path={self.path}, size=32)'"
        return DataError(
            f"{len(problems)} of the {len(paths)} images in {folder} cannot be used: {named}{more}",
            hint=hint,
        )


def _split_folder(folder: Path, split: str) -> Path:
    names = _FOLDERS[split]
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise DataError(f"{folder} has no folder {' or '.join(names)}")


def _files(folder: Path, split: str) -> list[tuple[Path, int]]:
    """Each image of a split with its label."""
    parent = _split_folder(folder, split)
    return [
        (path, label)
        for label, name in enumerate(_subfolders(parent))
        for path in _visible(parent / name)
        if path.suffix.lower() in _SUFFIXES
    ]


def _subfolders(folder: Path) -> list[str]:
    return [path.name for path in _visible(folder) if path.is_dir()]


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, in order, without the hidden files of editors and file managers."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror}") from error


def _chunks(files: list[tuple[Path, int]]) -> Iterator[list[tuple[Path, int]]]:
    for start in range(0, len(files), _CHUNK):
        yield files[start : start + _CHUNK]


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    register("image-folder", ImageFolder, version="1", argument="path")

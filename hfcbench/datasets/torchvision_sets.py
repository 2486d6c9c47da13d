"""MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100, read and downloaded by torchvision."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.datasets.cifar100_classes import CIFAR100_CLASSES
from hfcbench.datasets.files import signature
from hfcbench.errors import DataError
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, Dataset, DatasetDescription, ImageShape

_IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class TorchvisionDataset:
    """A dataset that one class of torchvision.datasets reads; subclasses say which."""

    name: ClassVar[str]
    torchvision_class: ClassVar[str]
    folder: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    classes: ClassVar[tuple[str, ...]]
    shape: ClassVar[ImageShape]
    sizes: ClassVar[dict[str, int]]

    def prepare(self, location: DataLocation) -> None:
        """Check that the files are there, or let torchvision download or unpack them."""
        if location.root is None:
            raise DataError(
                f"{self.name} is not part of hfcbench: it has to be downloaded into a folder once",
                hint=self._command("DIR"),
            )
        missing = [path for path in self._paths(location.root) if not path.is_file()]
        if not missing:
            return
        if not location.download:
            raise DataError(
                f"{self.name} is not in {location.root}: {missing[0]} is missing",
                hint=self._command(shlex.quote(str(location.root))),
            )
        try:
            location.root.mkdir(parents=True, exist_ok=True)
            self._open(location.root, train=True, download=True)
            self._open(location.root, train=False, download=True)
        # OSError: network and disk; RuntimeError: what torchvision makes of a damaged download.
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"{self.name} cannot be downloaded to {location.root}: {error}",
                hint=f"put its published files into {location.root / self.folder} by hand",
            ) from error

    def _command(self, root: str) -> str:
        return f"hfcbench run --dataset {self.name} --data-root {root} --download"

    def describe(self, location: DataLocation) -> DatasetDescription:
        """What the published files hold."""
        root = _root(location)
        return DatasetDescription(
            self.classes, self.shape, self.sizes, signature(root, self._paths(root))
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """The whole split at once: torchvision holds it in memory."""
        # Damaged files end in whatever error torchvision's parsers happen to run into.
        try:
            opened = self._open(_root(location), train=split == "train", download=False)
        except Exception as error:
            raise DataError(
                f"{self.name} in {location.root} cannot be read: {type(error).__name__} {error}",
                hint="delete its files and download them again",
            ) from error
        pixels = np.asarray(opened.data)
        labels = np.asarray(opened.targets, dtype=np.int64)
        channels_last = pixels[..., None] if pixels.ndim == 3 else pixels
        yield np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2)), labels

    def _open(self, root: Path, *, train: bool, download: bool) -> Any:
        import torchvision.datasets

        reader = getattr(torchvision.datasets, self.torchvision_class)
        return reader(root, train=train, download=download)

    def _paths(self, root: Path) -> list[Path]:
        return [root / self.folder / name for name in self.files]


def _root(location: DataLocation) -> Path:
    if location.root is None:
        raise DataError("a dataset on disk needs --data-root")
    return location.root


@dataclass(frozen=True)
class Mnist(TorchvisionDataset):
    """Handwritten digits, 28x28 grey, 60,000 + 10,000 (LeCun et al., 1998)."""

    name = "mnist"
    torchvision_class = "MNIST"
    folder = "MNIST/raw"
    files = _IDX_FILES
    classes = tuple("0123456789")
    shape = ImageShape(1, 28, 28)
    sizes: ClassVar = {"train": 60_000, "test": 10_000}


@dataclass(frozen=True)
class FashionMnist(TorchvisionDataset):
    """Pieces of clothing, 28x28 grey, 60,000 + 10,000 (Xiao et al., 2017)."""

    name = "fashion-mnist"
    torchvision_class = "FashionMNIST"
    folder = "FashionMNIST/raw"
    files = _IDX_FILES
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    shape = ImageShape(1, 28, 28)
    sizes: ClassVar = {"train": 60_000, "test": 10_000}


@dataclass(frozen=True)
class Cifar10(TorchvisionDataset):
    """Ten kinds of objects, 32x32 RGB, 50,000 + 10,000 (Krizhevsky, 2009)."""

    name = "cifar10"
    torchvision_class = "CIFAR10"
    folder = "cifar-10-batches-py"
    files = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")
    classes = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    shape = ImageShape(3, 32, 32)
    sizes: ClassVar = {"train": 50_000, "test": 10_000}


@dataclass(frozen=True)
class Cifar100(TorchvisionDataset):
    """A hundred kinds of objects, 32x32 RGB, 50,000 + 10,000 (Krizhevsky, 2009)."""

    name = "cifar100"
    torchvision_class = "CIFAR100"
    folder = "cifar-100-python"
    files = ("train", "test", "meta")
    classes = CIFAR100_CLASSES
    shape = ImageShape(3, 32, 32)
    sizes: ClassVar = {"train": 50_000, "test": 10_000}


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    declare = partial(register, version="1")
    declare("mnist", Mnist)
    declare("fashion-mnist", FashionMnist)
    declare("cifar10", Cifar10)
    declare("cifar100", Cifar100)

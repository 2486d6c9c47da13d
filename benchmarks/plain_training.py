"""The training loop that tutorials have, and ours, on the same images, network and schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from device import DEVICE, finished
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from hfcbench.allocator import keep_freed_memory
from hfcbench.frequency.components import ORIGINAL
from hfcbench.training.augmentation import crop_and_flip
from hfcbench.training.images import TrainingImages, in_unit_range
from hfcbench.training.job import TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import ImageShape, ImageSplit, Precision, Schedule

BATCH, RATE = 100, 0.05


class Pictures(Dataset[tuple[Tensor, int]]):
    """As torchvision's datasets are: arrays in memory, a PIL image and its transforms for each."""

    def __init__(self, split: ImageSplit) -> None:
        self._pixels = split.images.transpose(0, 2, 3, 1)
        self._labels = split.labels.tolist()
        self._transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(Image.fromarray(self._pixels[index])), self._labels[index]


@dataclass(frozen=True)
class Built:
    """A network as a registered model gives it."""

    network: Callable[[], nn.Module]

    def check(self, shape: Any, classes: int, options: Any) -> None:
        """Any images will do."""

    def build(self, shape: Any, classes: int, options: Any) -> nn.Module:
        return self.network()


def loader_of(split: ImageSplit, workers: int) -> DataLoader[tuple[Tensor, int]]:
    """Workers, if any, start once and stay."""
    return DataLoader(
        Pictures(split),
        BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="fork" if workers else None,
    )


def plain(
    network: Callable[[], nn.Module], split: ImageSplit, epochs: int, workers: int, seed: int = 0
) -> Callable[[], nn.Module]:
    loader = loader_of(split, workers)

    def run() -> nn.Module:
        torch.manual_seed(seed)
        model = network().to(DEVICE)
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
        model.train()
        for _ in range(epochs):
            for images, labels in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(images.to(DEVICE)), labels.to(DEVICE))
                loss.backward()
                optimizer.step()
        finished()
        return model.eval()

    return run


def ours(
    network: Callable[[], nn.Module],
    split: ImageSplit,
    epochs: int,
    precision: Precision = "float32",
    seed: int = 0,
) -> Callable[[], nn.Module]:
    keep_freed_memory()
    job = TrainingJob(
        train=split,
        test=split,
        shape=ImageShape(3, 32, 32),
        classes=10,
        model=Built(network),
        schedule=Schedule(
            epochs, BATCH, "SGD", RATE, {"momentum": 0.9}, "crop-flip", precision=precision
        ),
        seed=seed,
        device=DEVICE,
    )

    def run() -> nn.Module:
        model = train(job).module
        finished()
        return model

    return run


def plain_data(split: ImageSplit, workers: int) -> Callable[[], None]:
    """An epoch's batches, and no model."""
    loader = loader_of(split, workers)

    def run() -> None:
        for images, labels in loader:
            images.to(DEVICE), labels.to(DEVICE)
        finished()

    return run


def our_data(split: ImageSplit) -> Callable[[], None]:
    keep_freed_memory()
    generator = torch.Generator(DEVICE)

    def run() -> None:
        order = torch.randperm(len(split))
        for pixels, _ in TrainingImages(split, ORIGINAL, DEVICE).batches(order, BATCH):
            batch = in_unit_range(crop_and_flip(pixels, generator))
            batch.contiguous(memory_format=torch.channels_last)
        finished()

    return run


def images(count: int) -> ImageSplit:
    """Noise: what an image shows costs nothing."""
    random = np.random.default_rng(0)
    return ImageSplit(
        random.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), random.integers(0, 10, count)
    )

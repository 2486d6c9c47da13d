"""A small training of a linear model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.training.job import TrainingJob
from hfcbench.types import ImageShape, ImageSplit, Schedule

CLASSES = 3


class Linear:
    """Logits are linear in the pixels; initialised from the global generator."""

    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        pixels = shape.channels * shape.height * shape.width
        return nn.Sequential(nn.Flatten(), nn.Dropout(options.dropout), nn.Linear(pixels, classes))


def images(count: int, seed: int) -> ImageSplit:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)
    return ImageSplit(pixels, generator.integers(0, CLASSES, count))


@pytest.fixture
def job() -> TrainingJob:
    return TrainingJob(
        train=images(60, 1),
        test=images(20, 2),
        shape=ImageShape(1, 4, 4),
        classes=CLASSES,
        model=Linear(),
        schedule=Schedule(epochs=2, batch_size=20),
        seed=0,
        device=torch.device("cpu"),
    )

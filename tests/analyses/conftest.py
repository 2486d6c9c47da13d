"""Subjects of analyses, with models whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.quantities import Subject
from hfcbench.types import ImageSplit


class Detector(torch.nn.Module):
    """Class 1 where the images' first channel correlates with a pattern by more than a limit."""

    def __init__(self, pattern, limit):
        super().__init__()
        self.register_buffer("pattern", torch.as_tensor(pattern, dtype=torch.float32))
        self.limit = limit

    def forward(self, images):
        found = (images[:, 0] * self.pattern).sum((1, 2)).abs() - self.limit
        return torch.stack([-found, found], 1)


@pytest.fixture
def detector():
    return Detector


@pytest.fixture
def subject():
    def make(model, images, labels, **more):
        split = ImageSplit(np.asarray(images, np.uint8), np.asarray(labels, np.int64))
        return Subject(model.eval(), split, torch.device("cpu"), **more)

    return make


@pytest.fixture
def named():
    def by_name(quantities):
        return {quantity.name: quantity for quantity in quantities}

    return by_name

"""Where channels come last, and that narrow residual networks survive odd batches."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from hfcbench.training.memory_format import training_memory_format

CPU = torch.device("cpu")
ODD_BATCHES = """
import numpy as np, torch
from hfcbench.models.resnet18 import ResNet18
from hfcbench.training.job import TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import ImageShape, ImageSplit, Schedule
rng = np.random.default_rng(0)
split = ImageSplit(rng.integers(0, 256, (50, 3, 32, 32), np.uint8), rng.integers(0, 3, 50))
shape, cpu = ImageShape(3, 32, 32), torch.device("cpu")
schedule = Schedule(epochs=20, batch_size=25)
train(TrainingJob(split, split, shape, 3, ResNet18(8), schedule, 0, cpu))
"""


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(8, 16, 1, stride=2), torch.contiguous_format),
        (nn.Conv2d(24, 48, 1, stride=2), torch.contiguous_format),
        (nn.Conv2d(16, 32, 1, stride=2), torch.channels_last),
        (nn.Conv2d(8, 16, 3, stride=2), torch.channels_last),
        (nn.Conv2d(8, 16, 1), torch.channels_last),
    ],
)
def test_strided_convolutions_of_one_pixel_want_whole_blocks_of_channels(layer, expected):
    model = nn.Sequential(nn.ReLU(), layer)
    assert training_memory_format(model, CPU, 100, 25) == expected
    assert training_memory_format(model, CPU, 101, 50) == expected
    assert training_memory_format(model, CPU, 102, 50) == torch.channels_last


def test_every_model_has_channels_last_on_cuda():
    narrow = nn.Conv2d(8, 16, 1, stride=2)
    assert training_memory_format(narrow, torch.device("cuda"), 75, 25) == torch.channels_last


def test_a_narrow_residual_network_survives_odd_batches():
    done = subprocess.run([sys.executable, "-c", ODD_BATCHES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""What measuring curves adds to a training, at figure 3's proportions of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.training.job import CurveView, TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import ImageShape, ImageSplit, Schedule

IMAGES, MEASURED = 1000, 50  # the suite measures 2,500 of 50,000, of each split
VIEWS = [ORIGINAL] + [
    Component(FFTRadial(), part, radius, "max") for part in (0, 1) for radius in (4, 8, 12, 16)
]


def job(*, curves: bool) -> TrainingJob:
    random = np.random.default_rng(0)
    split = ImageSplit(
        random.integers(0, 256, (IMAGES, 3, 32, 32), dtype=np.uint8),
        random.integers(0, 10, IMAGES),
    )
    return TrainingJob(
        train=split,
        test=split,
        shape=ImageShape(3, 32, 32),
        classes=10,
        model=PreactResNet32(),
        schedule=Schedule(epochs=1),
        seed=0,
        device=torch.device("cpu"),
        curve=tuple(CurveView(view, str(number)) for number, view in enumerate(VIEWS))
        if curves
        else (),
        curve_samples=MEASURED,
    )


@pytest.mark.benchmark(group="curves")
def test_curves_do_not_double_the_training_time(benchmark, compare):
    plain, measured = job(curves=False), job(curves=True)
    timed = compare(
        "an epoch of figure 3, 9 views",
        {"without curves": lambda: train(plain), "with curves": lambda: train(measured)},
        rounds=3,
        goals={"with curves": "at most 2"},
        scale={},
    )
    assert not timed.judged or timed.ratio("with curves") < 2
    benchmark.pedantic(lambda: train(measured), rounds=1)

"""What a training is given and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.types import Heuristic, ImageShape, ImageSplit, Model, Recipe, Schedule


@dataclass(frozen=True)
class CurveView:
    """A component that is measured after every epoch; ``key`` is the caller's name for it."""

    component: Component
    key: str


@dataclass(frozen=True)
class TrainingJob:
    """Everything that one training needs; nothing else decides its result.

    Attributes:
        train, test: decoded images; ``test`` is only ever measured.
        component: what of each training image the model is trained on; cut out of the image as
            it lies in the dataset, before any augmentation.
        heuristics: applied in this order.
        curve: measured after every epoch on both splits; never changes the weights.
        curve_samples: at most that many images of each split are measured, the same every time.
    """

    train: ImageSplit
    test: ImageSplit
    shape: ImageShape
    classes: int
    model: Model
    schedule: Schedule
    seed: int
    device: torch.device
    heuristics: tuple[Heuristic, ...] = ()
    component: Component = ORIGINAL
    curve: tuple[CurveView, ...] = ()
    curve_samples: int | None = None


@dataclass(frozen=True)
class CurveMeasurement:
    """A number measured after an epoch (the first is 1) on ``n`` images of a split.

    On the split ``train``, accuracy and loss are against the labels that the model is trained on:
    shuffled ones where a heuristic shuffled them. Images are not augmented.

    Attributes:
        split: ``train`` or ``test``.
        key: that of the :class:`CurveView`.
        metric: ``top1``, in [0,1], or ``loss``, the mean cross-entropy in nats.
    """

    epoch: int
    split: str
    key: str
    metric: str
    value: float
    n: int


@dataclass(frozen=True)
class TrainingLabels:
    """What the training images are taken for.

    Attributes:
        labels: ``(N,)`` int64 on the CPU, in the order of the training images.
        order: a permutation ``(N,)`` int64: image i has the label that the dataset gives to
            training image ``order[i]``; None where heuristics did more than move labels.
        changed: whether any label is not the dataset's.
    """

    labels: Tensor
    order: Tensor | None
    changed: bool


@dataclass(frozen=True)
class TrainingResult:
    """A trained module in evaluation mode, what it was trained with and on, and its curve.

    Attributes:
        curve_seconds: how long measuring the curve took.
        notes: what people should know about how it was done.
    """

    module: torch.nn.Module
    parameter_count: int
    recipe: Recipe
    labels: TrainingLabels
    curve: tuple[CurveMeasurement, ...]
    curve_seconds: float = 0.0
    notes: tuple[str, ...] = ()

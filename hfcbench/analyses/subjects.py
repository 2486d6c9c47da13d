"""Batches of a subject's images, and its model's answers to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.devices import to_device
from hfcbench.evaluation.batching import default_batch_size
from hfcbench.evaluation.prediction import checked_logits
from hfcbench.quantities import Axis, Quantity, Subject


def batches(subject: Subject, size: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Images ``(B,C,H,W)`` float32 in [0,1] and labels ``(B,)`` int64, on the device."""
    split = subject.images
    step = default_batch_size(split) if size is None else size
    for start in range(0, len(split), step):
        place = slice(start, start + step)
        pixels = to_device(split.images[place], subject.device).float().div_(255)
        yield pixels, to_device(split.labels[place], subject.device).long()


def logits_of(subject: Subject, images: Tensor) -> Tensor:
    """The model's logits ``(B,K)``; NodeError where it returns something else."""
    with torch.inference_mode():
        return checked_logits(subject.model(images), len(images), None, "the model").float()


def wrong(subject: Subject, images: Tensor, labels: Tensor) -> Tensor:
    """Which images ``(B,)`` bool the model gets wrong."""
    return logits_of(subject, images).argmax(1) != labels


def proportion(name: str, counts: NDArray[Any], n: int, axes: tuple[Axis, ...] = ()) -> Quantity:
    """Counts out of ``n`` images as shares, with Wilson's 95% intervals."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(counts, n, method="wilson")
    return Quantity(name, "", np.asarray(counts) / n, axes, np.asarray(low), np.asarray(high), n)

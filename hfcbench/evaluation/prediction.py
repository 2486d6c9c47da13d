"""What a model answers for each image."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.errors import NodeError
from hfcbench.types import Predictions

NO_CLASS = -1
"""The predicted class where the logits are no answer; equal to no label, so never right."""


def answers(logits: Tensor, labels: Tensor) -> Tensor:
    """Predicted class, confidence and loss of each image.

    Args:
        logits: ``(B,K)`` of any number type.
        labels: ``(B,)`` int64 true classes below K.

    Returns:
        ``(3,B)`` float32 on the logits' device: the most probable class (the first of equals), its
        softmax probability, and the cross-entropy in nats. A row without probabilities (a NaN or
        +inf in it, or nothing but -inf) holds :data:`NO_CLASS`, NaN and NaN.
    """
    logits = logits.float()
    confidence = F.softmax(logits, dim=1).amax(dim=1)  # (B,), NaN where any probability is
    loss = F.cross_entropy(logits, labels, reduction="none")
    predicted = logits.argmax(dim=1).float()  # exact up to 2**24 classes
    unknown = confidence.isnan()
    return torch.stack(
        [
            predicted.masked_fill(unknown, NO_CLASS),
            confidence,
            loss.masked_fill(unknown, torch.nan),
        ]
    )


def checked_logits(logits: object, count: int, classes: int | None, name: str) -> Tensor:
    """The logits, if they are ``(count,classes)``.

    Args:
        logits: what a model returned.
        count: number of images that it was given.
        classes: None takes any number of them.
        name: what the message calls the model.

    Raises:
        NodeError: they are something else.
    """
    if not isinstance(logits, Tensor):
        raise NodeError(f"{name} returned {type(logits).__name__} instead of logits")
    shape = tuple(logits.shape)
    if len(shape) != 2 or shape[0] != count or classes not in (None, shape[1]):
        expected = "classes" if classes is None else classes
        raise NodeError(
            f"{name} returned logits of shape {shape} for {count} images; "
            f"expected ({count}, {expected})"
        )
    return logits


class PredictionBuffer:
    """Collects the answers of one model under one condition to all images, batch by batch."""

    def __init__(self, labels: NDArray[np.int64]) -> None:
        n = len(labels)
        self._labels = np.asarray(labels, dtype=np.int64)
        self._predicted = np.zeros(n, dtype=np.int64)
        self._confidence = np.zeros(n, dtype=np.float32)
        self._loss = np.zeros(n, dtype=np.float32)

    def put(self, start: int, batch: NDArray[np.float32]) -> None:
        """Keep :func:`answers` ``(3,B)`` to the images from position ``start`` on."""
        place = slice(start, start + batch.shape[1])
        self._predicted[place], self._confidence[place], self._loss[place] = batch

    def predictions(self) -> Predictions:
        """All that was collected."""
        return Predictions(self._labels, self._predicted, self._confidence, self._loss)

"""What a model answers for a batch of images."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.errors import NodeError
from hfcbench.types import Predictions


class PredictionBuffer:
    """Collects the predictions of one cell, batch by batch, for ``n`` images."""

    def __init__(self, labels: NDArray[np.int64]) -> None:
        n = len(labels)
        self._labels = np.asarray(labels, dtype=np.int64)
        self._predicted = np.zeros(n, dtype=np.int64)
        self._confidence = np.zeros(n, dtype=np.float32)
        self._loss = np.zeros(n, dtype=np.float32)

    def put(self, start: int, logits: Tensor, labels: Tensor) -> None:
        """Keep the answers to the images from ``start`` on.

        Args:
            start: position of the batch's first image.
            logits: ``(B,K)``; where a row is not finite, its loss and confidence are NaN and the
                predicted class is that of the largest number in it.
            labels: ``(B,)`` int64 true classes.

        Raises:
            NodeError: the logits do not have the shape ``(B,K)`` with K above every label.
        """
        if logits.ndim != 2 or len(logits) != len(labels) or int(labels.max()) >= logits.shape[1]:
            raise NodeError(
                f"the model returned logits of shape {tuple(logits.shape)} for {len(labels)} "
                f"images with labels up to {int(labels.max())}"
            )
        logits = logits.float()
        place = slice(start, start + len(labels))
        confidence, _ = F.softmax(logits, dim=1).max(dim=1)
        predicted = torch.nan_to_num(logits, nan=-torch.inf).argmax(dim=1)
        loss = F.cross_entropy(logits, labels, reduction="none")
        self._predicted[place] = predicted.cpu().numpy()
        self._confidence[place] = confidence.cpu().numpy()
        self._loss[place] = loss.cpu().numpy()

    def predictions(self) -> Predictions:
        """All that was collected."""
        return Predictions(self._labels, self._predicted, self._confidence, self._loss)

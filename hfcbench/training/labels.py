"""The labels that a model is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.devices import generator_for
from hfcbench.errors import NodeError
from hfcbench.training.files import save_tensors
from hfcbench.training.job import TrainingJob, TrainingLabels


def training_labels(job: TrainingJob) -> TrainingLabels:
    """The labels after every heuristic that changes them, in order.

    Raises:
        NodeError: a heuristic returned something else than such labels, or an order that is not
            what it did.
    """
    given = torch.from_numpy(np.array(job.train.labels, dtype=np.int64))
    labels = given.clone()
    order: Tensor | None = torch.arange(len(labels))
    for position, heuristic in enumerate(job.heuristics):
        name = type(heuristic).__name__
        # Of its own for each call, so that both draw the same.
        first, second = (
            generator_for(labels.device, job.seed, "labels", position) for _ in range(2)
        )
        before = labels.clone()
        labels = heuristic.relabel(labels, job.classes, first)
        _check(labels, job, name)
        moved = heuristic.label_order(len(labels), second)
        if moved is not None:
            _check_order(moved, before, labels, name)
            order = None if order is None else order[moved]
        elif not torch.equal(before, labels):
            order = None
    return TrainingLabels(labels, order, not torch.equal(given, labels))


def save_labels(
    labels: TrainingLabels,
    positions: NDArray[np.int64],
    path: Path,
    expected_sha256: str | None = None,
) -> tuple[str, int]:
    """Write which label every training image had.

    The file has the tensors ``positions``, of each image in the dataset's training split, and
    ``labels``; and where labels were only moved, ``order``: row i has the label that the dataset
    gives to the image of row ``order[i]``. All are ``(N,)`` int64.

    Args:
        positions: ``(N,)``, in the order of the labels.
        path, expected_sha256: as for :func:`hfcbench.training.files.save_tensors`.

    Returns:
        The sha256 of the file in hexadecimal, and its size in bytes.

    Raises:
        NodeError: the file cannot be written, or would not be the expected one.
    """
    tensors = {"labels": labels.labels, "positions": torch.from_numpy(positions.copy())}
    if labels.order is not None:
        tensors["order"] = labels.order
    owned = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    return save_tensors(owned, path, "file of training labels", expected_sha256)


def _check(labels: Tensor, job: TrainingJob, name: str) -> None:
    expected = (len(job.train),)
    if tuple(labels.shape) != expected or labels.dtype != torch.int64:
        raise NodeError(
            f"heuristic {name} returned labels of shape {tuple(labels.shape)} and {labels.dtype}; "
            f"expected {expected} and torch.int64"
        )
    if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < job.classes):
        raise NodeError(f"heuristic {name} returned labels outside 0..{job.classes - 1}")


def _check_order(order: Tensor, before: Tensor, after: Tensor, name: str) -> None:
    """What is kept must be what was done."""
    places = torch.arange(len(before))
    permutes = order.dtype == torch.int64 and torch.equal(order.sort().values, places)
    if not (permutes and torch.equal(before[order], after)):
        raise NodeError(
            f"heuristic {name} relabels otherwise than by its label order",
            hint="relabel must return labels[label_order(...)], or label_order None",
        )

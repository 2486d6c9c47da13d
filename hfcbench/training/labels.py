"""The labels that a model is trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hfcbench.devices import generator_for
from hfcbench.errors import NodeError
from hfcbench.training.job import TrainingJob


def training_labels(job: TrainingJob) -> Tensor:
    """Labels ``(N,)`` int64 on the CPU, after every heuristic that changes them, in order.

    Raises:
        NodeError: a heuristic returned something else than such labels.
    """
    labels = torch.from_numpy(np.array(job.train.labels, dtype=np.int64))
    for position, heuristic in enumerate(job.heuristics):
        generator = generator_for(labels.device, job.seed, "labels", position)
        labels = heuristic.relabel(labels, job.classes, generator)
        _check(labels, job, type(heuristic).__name__)
    return labels


def _check(labels: Tensor, job: TrainingJob, name: str) -> None:
    expected = (len(job.train),)
    if tuple(labels.shape) != expected or labels.dtype != torch.int64:
        raise NodeError(
            f"heuristic {name} returned labels of shape {tuple(labels.shape)} and {labels.dtype}; "
            f"expected {expected} and torch.int64"
        )
    if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < job.classes):
        raise NodeError(f"heuristic {name} returned labels outside 0..{job.classes - 1}")

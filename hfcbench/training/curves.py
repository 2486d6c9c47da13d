"""What is measured after every epoch."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.evaluation.engine import evaluate
from hfcbench.memory.part_size import PartSize
from hfcbench.training.job import CurveMeasurement, TrainingJob


class Curve:
    """Measures a job's views of both splits, without a trace in the model's weights.

    Args:
        job: its training images are measured as they lie in the dataset, not augmented.
        labels: ``(N,)`` int64 that the model is trained on, on the CPU: training accuracy is that
            on the labels as used, which are not the dataset's where a heuristic changed them.
    """

    def __init__(self, job: TrainingJob, labels: Tensor) -> None:
        self._device = job.device
        self._cells = [Cell(view.key, view.component) for view in job.curve]
        as_used = replace(job.train, labels=labels.numpy())
        self._splits = {
            "train": as_used.sample(job.curve_samples),
            "test": job.test.sample(job.curve_samples),
        }
        self._part_size = PartSize(doing="curve: ")
        self.measurements: list[CurveMeasurement] = []
        self.seconds = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know about how it was measured."""
        return self._part_size.notes

    def measure(self, module: torch.nn.Module, epoch: int) -> None:
        """Add accuracy and mean loss of every view of both splits."""
        if not self._cells:
            return
        start = time.perf_counter()
        for name, split in self._splits.items():
            found = evaluate(
                module, split, self._cells, device=self._device, part_size=self._part_size
            )
            for key, answer in found.items():
                if isinstance(answer, CellFailure):
                    raise answer.error
                predictions = answer.predictions
                values = {
                    "top1": float((predictions.predicted == predictions.labels).mean()),
                    "loss": float(predictions.loss.mean(dtype=np.float64)),
                }
                self.measurements.extend(
                    CurveMeasurement(epoch, name, key, metric, value, len(split))
                    for metric, value in values.items()
                )
        self.seconds += time.perf_counter() - start

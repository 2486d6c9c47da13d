"""The training loop: the same for every model, heuristic and dataset."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hfcbench.devices import deterministic, generator_for, seeded
from hfcbench.errors import NodeError
from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.evaluation.engine import evaluate
from hfcbench.training.augmentation import crop_and_flip
from hfcbench.training.images import TrainingImages
from hfcbench.training.job import CurveMeasurement, TrainingJob, TrainingResult
from hfcbench.training.optimizers import make_optimizer
from hfcbench.types import Batch, Heuristic, ImageSplit, Recipe, Schedule

OnEpoch = Callable[[int, int], None]


def configured(schedule: Schedule, heuristics: Sequence[Heuristic]) -> Recipe:
    """The recipe after every heuristic had its say, in order.

    Raises:
        SpecificationError: two of them contradict each other.
    """
    recipe = Recipe(schedule=schedule)
    for heuristic in heuristics:
        recipe = heuristic.configure(recipe)
    return recipe


def train(job: TrainingJob, on_epoch: OnEpoch | None = None) -> TrainingResult:
    """Train a model as the paper's vanilla set-up does, with the job's changes.

    Initialisation, order, augmentation and heuristics draw from generators of their own, so the
    weights are the same for a seed on one device, whether curves are measured or not.

    Args:
        job: what to train, on what, how.
        on_epoch: told the number of finished and of all epochs.

    Raises:
        NodeError: the loss is no longer a finite number.
        SpecificationError: optimizer or heuristics that do not fit.
    """
    recipe = configured(job.schedule, job.heuristics)
    with deterministic():
        module = _build(job, recipe).to(job.device)
        module = module.to(memory_format=torch.channels_last)
        labels = _labels(job)
        loop = _Loop(job, recipe, module, labels)
        curve: list[CurveMeasurement] = []
        measured = _measured_splits(job, labels)
        for epoch in range(1, recipe.schedule.epochs + 1):
            loop.run_epoch(epoch)
            curve.extend(_measure(job, module, measured, epoch))
            if on_epoch is not None:
                on_epoch(epoch, recipe.schedule.epochs)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return TrainingResult(module.eval(), parameters, recipe, tuple(curve))


def _build(job: TrainingJob, recipe: Recipe) -> torch.nn.Module:
    with seeded(torch.device("cpu"), job.seed, "initialisation"):
        return job.model.build(job.shape, job.classes, recipe.options)


def _labels(job: TrainingJob) -> Tensor:
    """The labels that are trained on, after every heuristic that changes them."""
    labels = torch.from_numpy(np.array(job.train.labels, dtype=np.int64))
    for position, heuristic in enumerate(job.heuristics):
        generator = generator_for(labels.device, job.seed, "labels", position)
        labels = heuristic.relabel(labels, job.classes, generator)
    return labels


class _Loop:
    """One model's way through the epochs."""

    def __init__(
        self, job: TrainingJob, recipe: Recipe, module: torch.nn.Module, labels: Tensor
    ) -> None:
        self._job = job
        self._schedule = recipe.schedule
        self._module = module
        self._images = TrainingImages(job.train, job.component, job.device)
        self._targets = F.one_hot(labels, job.classes).float().to(job.device)  # (N,K)
        self._optimizer = make_optimizer(recipe.schedule, module.parameters())
        cpu = torch.device("cpu")
        self._order = generator_for(cpu, job.seed, "order")
        self._augmentation = generator_for(job.device, job.seed, "augmentation")
        self._heuristics = [
            (heuristic, generator_for(job.device, job.seed, "heuristic", position))
            for position, heuristic in enumerate(job.heuristics)
        ]

    def run_epoch(self, epoch: int) -> None:
        """Every training image once, in a new random order."""
        self._module.train()
        count = len(self._targets)
        order = torch.randperm(count, generator=self._order).to(self._job.device)
        total = torch.zeros((), device=self._job.device)
        # Dropout and the like draw from torch's global generator.
        with seeded(self._job.device, self._job.seed, "layers", epoch):
            for indices in torch.split(order, self._schedule.batch_size):
                total += self._step(indices)
        # One look per epoch: reading the loss of every step would stall a GPU.
        if not math.isfinite(float(total)):
            raise NodeError(
                f"the training loss is {float(total)} in epoch {epoch}",
                hint="a smaller learning rate often helps: --learning-rate",
            )

    def _step(self, indices: Tensor) -> Tensor:
        images = self._images.batch(indices)
        if self._schedule.augmentation == "crop-flip":
            images = crop_and_flip(images, self._augmentation)
        batch = Batch(images, self._targets[indices])
        for heuristic, generator in self._heuristics:
            batch = heuristic.transform(batch, self._module, generator)
        images = batch.images.contiguous(memory_format=torch.channels_last)
        self._optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self._module(images), batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach()


def _measured_splits(job: TrainingJob, labels: Tensor) -> dict[str, ImageSplit]:
    """What curves are measured on; the training split with the labels that are trained on."""
    splits = {"train": replace(job.train, labels=labels.numpy()), "test": job.test}
    return {name: split.sample(job.curve_samples) for name, split in splits.items()}


def _measure(
    job: TrainingJob, module: torch.nn.Module, splits: dict[str, ImageSplit], epoch: int
) -> list[CurveMeasurement]:
    """Accuracy and loss on every view of both splits after an epoch."""
    cells = [Cell(view.key, view.component) for view in job.curve]
    measurements: list[CurveMeasurement] = []
    for name, split in splits.items() if cells else ():
        for key, answer in evaluate(module, split, cells, device=job.device).items():
            if isinstance(answer, CellFailure):
                raise answer.error
            values = {
                "top1": float((answer.predicted == answer.labels).mean()),
                "loss": float(answer.loss.mean(dtype=np.float64)),
            }
            measurements.extend(
                CurveMeasurement(epoch, name, key, metric, value, len(split))
                for metric, value in values.items()
            )
    return measurements

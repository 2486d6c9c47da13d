"""The training loop: the same for every model, heuristic and dataset."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from hfcbench.devices import deterministic, generator_for, seeded
from hfcbench.errors import NodeError
from hfcbench.memory.calling import called_in_parts
from hfcbench.memory.part_size import PartSize
from hfcbench.precision import in_precision
from hfcbench.recipes import configured
from hfcbench.training.augmentation import crop_and_flip, flip
from hfcbench.training.before_step import BeforeStep
from hfcbench.training.curves import Curve
from hfcbench.training.images import TrainingImages, in_unit_range
from hfcbench.training.job import TrainingJob, TrainingResult
from hfcbench.training.labels import training_labels
from hfcbench.training.loss import training_loss
from hfcbench.training.memory_format import training_memory_format
from hfcbench.training.optimizers import make_optimizer
from hfcbench.types import Batch, Recipe

OnEpoch = Callable[[int, int], None]


def train(job: TrainingJob, on_epoch: OnEpoch | None = None) -> TrainingResult:
    """Train a model as the paper's vanilla set-up does, with the job's changes.

    In every epoch each training image is seen once: its component, augmented, then changed by the
    heuristics in their order. Initialisation, order, augmentation, layers such as dropout, and
    every heuristic draw from generators of their own, so the weights are the same for a seed on
    one device, whether curves are measured or not.

    Where a batch does not fit into memory, its step is taken again, with the same random numbers:
    the model answers it in parts, and the loss is that of the whole batch. That is the same step
    but for the order of its sums.

    Args:
        job: what to train, on what, how.
        on_epoch: told the number of finished and of all epochs.

    Raises:
        NodeError: the loss or the weights are no longer finite, or a heuristic returned labels
            or a loss that are none; or a batch does not fit into memory, and the model would be
            trained otherwise by parts of it.
        SpecificationError: optimizer or heuristics that do not fit.
    """
    recipe = configured(job.schedule, job.heuristics)
    with deterministic():
        labels = training_labels(job)
        module = _build(job, recipe).to(job.device)
        curve = Curve(job, labels.labels)
        loop = _Loop(job, recipe, module, labels.labels)
        for epoch in range(1, recipe.schedule.epochs + 1):
            loop.run_epoch(epoch)
            curve.measure(module, epoch)
            if on_epoch is not None:
                on_epoch(epoch, recipe.schedule.epochs)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return TrainingResult(
        module.eval(),
        parameters,
        recipe,
        labels,
        tuple(curve.measurements),
        curve.seconds,
        (*loop.part_size.notes, *curve.notes),
    )


def _build(job: TrainingJob, recipe: Recipe) -> torch.nn.Module:
    # On the CPU, so that a seed starts from the same weights on every device.
    with seeded(torch.device("cpu"), job.seed, "initialisation"):
        return job.model.build(job.shape, job.classes, recipe.options)


class _Loop:
    """One model's way through the epochs."""

    def __init__(
        self, job: TrainingJob, recipe: Recipe, module: torch.nn.Module, labels: Tensor
    ) -> None:
        self._job = job
        self._schedule = recipe.schedule
        self._memory_format = training_memory_format(
            module, job.device, len(job.train), recipe.schedule.batch_size
        )
        self._module = module.to(memory_format=self._memory_format)
        self._learning = in_precision(self._module, recipe.schedule.precision)
        self._images = TrainingImages(job.train, job.component, job.device)
        self._labels = labels.to(job.device)
        self._classes = torch.arange(job.classes, device=job.device)
        self._optimizer = make_optimizer(recipe.schedule, module.parameters())
        self._order = generator_for(torch.device("cpu"), job.seed, "order")
        self._augmentation = generator_for(job.device, job.seed, "augmentation")
        self._heuristics = [
            (heuristic, generator_for(job.device, job.seed, "heuristic", position))
            for position, heuristic in enumerate(job.heuristics)
        ]
        self._generators = [
            self._augmentation,
            *(generator for _, generator in self._heuristics),
        ]
        self._buffers = list(module.buffers())
        # No single images: see training_memory_format.
        self.part_size = PartSize(least=2)

    def run_epoch(self, epoch: int) -> None:
        """Every training image once, in a new random order."""
        self._module.train()
        order = torch.randperm(len(self._labels), generator=self._order)
        total = torch.zeros((), device=self._job.device)
        # Dropout and the like draw from torch's global generator.
        with seeded(self._job.device, self._job.seed, "layers", epoch):
            for images, positions in self._images.batches(order, self._schedule.batch_size):
                total += self._step(images, positions)
        self._check_finite(float(total), epoch)

    def _step(self, images: Tensor, positions: Tensor) -> Tensor:
        before = BeforeStep(self._module, self._buffers, images, self._generators)
        with called_in_parts(self._module, self.part_size):
            gradient = partial(self._gradient, images, positions)
            loss = self.part_size.fitted(gradient, before.undo)
        self._optimizer.step()
        return loss

    def _gradient(self, images: Tensor, positions: Tensor) -> Tensor:
        """The loss of a batch; its gradient is left in the parameters."""
        if self._schedule.augmentation == "crop-flip":
            images = crop_and_flip(images, self._augmentation)
        elif self._schedule.augmentation == "flip":
            images = flip(images, self._augmentation)
        # Not F.one_hot, which reads the largest label back on some devices, and so waits for them.
        targets = (self._labels[positions, None] == self._classes).float()  # (B,K)
        batch = Batch(in_unit_range(images), targets)
        for heuristic, generator in self._heuristics:
            batch = heuristic.transform(batch, self._learning, generator)
        inputs = batch.images.contiguous(memory_format=self._memory_format)
        loss = training_loss(Batch(inputs, batch.targets), self._learning, self._heuristics)
        # Only now, so that nothing that heuristics left behind is stepped along.
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        return loss.detach()

    def _check_finite(self, total: float, epoch: int) -> None:
        # One look per epoch: reading the loss of every step would stall a GPU. The weights too,
        # because no loss has seen what the last step made of them.
        finite = [parameter.isfinite().all() for parameter in self._module.parameters()]
        if math.isfinite(total) and bool(torch.stack(finite).all()):
            return
        what = "weights are not finite" if math.isfinite(total) else f"training loss is {total}"
        rate = self._schedule.learning_rate
        tried = "" if rate is None else f" at learning rate {rate:g}"
        raise NodeError(
            f"the {what} in epoch {epoch}{tried}",
            hint="a smaller learning rate often helps: --learning-rate",
        )

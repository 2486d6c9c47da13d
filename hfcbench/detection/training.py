"""The training loop of detectors: the same for every architecture and dataset."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hfcbench.detection.evaluating import evaluate_detector
from hfcbench.detection.learning_rates import learning_rate_factor
from hfcbench.detection.training_pictures import TrainingPictures
from hfcbench.detection_types import TRAINED, Detections, Detector, Picture
from hfcbench.devices import deterministic, generator_for, seeded
from hfcbench.errors import NodeError
from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.sampling import chosen_images
from hfcbench.training.job import CurveMeasurement, CurveView
from hfcbench.training.optimizers import make_optimizer
from hfcbench.types import DataLocation, Schedule

OnEpoch = Callable[[int, int], None]
Measure = Callable[[Detections], float]


@dataclass(frozen=True)
class DetectorJob:
    """Everything that the training of one detector needs; nothing else decides its result.

    Attributes:
        train: all of them are trained on; may be empty where there are no epochs.
        test: only ever measured.
        component: what of each training picture the detector is trained on, cut out of the whole
            picture before it is mirrored.
        curve: measured after every epoch on both splits; never changes the weights.
        curve_samples: at most that many pictures of each split are measured.
        measure: what of the detections on a curve's pictures goes into the curve, as ``map``.
    """

    train: Sequence[Picture]
    test: Sequence[Picture]
    class_names: tuple[str, ...]
    detector: Detector
    location: DataLocation
    schedule: Schedule
    seed: int
    device: torch.device
    measure: Measure
    component: Component = ORIGINAL
    curve: tuple[CurveView, ...] = ()
    curve_samples: int | None = None


@dataclass(frozen=True)
class TrainedDetector:
    """A trained module in evaluation mode and its curve.

    Attributes:
        curve: with the mean ``loss`` of each epoch's batches under the key :data:`TRAINED`.
        curve_seconds: how long measuring the curve took.
    """

    module: torch.nn.Module
    parameter_count: int
    curve: tuple[CurveMeasurement, ...]
    curve_seconds: float


def train_detector(job: DetectorJob, on_epoch: OnEpoch | None = None) -> TrainedDetector:
    """Train a detector; without epochs it is what its architecture starts with.

    In every epoch each training picture is seen once, mirrored or not where the schedule says
    ``flip``. The learning rate follows
    :func:`~hfcbench.detection.learning_rates.learning_rate_factor`. Initialisation, order,
    augmentation and layers draw from generators of their own, so the weights are the same for a
    seed on one device, whether curves are measured or not.

    Args:
        job: what to train, on what, how.
        on_epoch: told the number of finished and of all epochs.

    Raises:
        NodeError: the loss or the weights are no longer finite, or the weights that the detector
            starts with cannot be had.
        DataError: a picture cannot be decoded.
    """
    epochs = job.schedule.epochs
    with deterministic():
        with seeded(torch.device("cpu"), job.seed, "initialisation"):
            module = job.detector.build(job.class_names, job.location)
        module = module.to(job.device)
        loop = _Loop(job, module)
        curve = _Curve(job)
        for epoch in range(1, epochs + 1):
            curve.add(CurveMeasurement(epoch, "train", TRAINED, "loss", loop.run(epoch), loop.n))
            curve.measure(module, epoch)
            if on_epoch is not None:
                on_epoch(epoch, epochs)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return TrainedDetector(module.eval(), parameters, tuple(curve.points), curve.seconds)


class _Loop:
    """One detector's way through the epochs."""

    def __init__(self, job: DetectorJob, module: torch.nn.Module) -> None:
        self._job = job
        self._module = module
        self._pictures = TrainingPictures(job.train, job.component, job.device)
        self._order = generator_for(torch.device("cpu"), job.seed, "order")
        self._augmentation = generator_for(torch.device("cpu"), job.seed, "augmentation")
        self.n = len(job.train)
        batches = math.ceil(self.n / job.schedule.batch_size)
        self._steps = batches * job.schedule.epochs
        self._step = 0
        if job.schedule.epochs:
            trained = [item for item in module.parameters() if item.requires_grad]
            self._optimizer = make_optimizer(job.schedule, trained)
            self._rates = [group["lr"] for group in self._optimizer.param_groups]

    def run(self, epoch: int) -> float:
        """Every training picture once, in a new random order; returns the mean loss."""
        self._module.train()
        order = torch.randperm(self.n, generator=self._order)
        total = torch.zeros((), device=self._job.device)
        # Dropout and the like draw from torch's global generator.
        with seeded(self._job.device, self._job.seed, "layers", epoch):
            for positions in torch.split(order, self._job.schedule.batch_size):
                total += self._train_on(positions) * len(positions)
        mean = float(total) / self.n
        self._check_finite(mean, epoch)
        return mean

    def _train_on(self, positions: Tensor) -> Tensor:
        flipped = torch.zeros(len(positions), dtype=torch.bool)
        if self._job.schedule.augmentation == "flip":
            flipped = torch.rand(len(positions), generator=self._augmentation) < 0.5
        chosen = zip(positions.tolist(), flipped.tolist(), strict=True)
        batch = [self._pictures.example(position, mirrored=flip) for position, flip in chosen]
        loss: Tensor = self._module.loss(  # type: ignore[operator]
            [image for image, _ in batch], [target for _, target in batch]
        )
        factor = learning_rate_factor(self._step, self._steps)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._step += 1
        return loss.detach()

    def _check_finite(self, loss: float, epoch: int) -> None:
        # The weights too, because no loss has seen what the last step made of them.
        finite = [parameter.isfinite().all() for parameter in self._module.parameters()]
        if math.isfinite(loss) and bool(torch.stack(finite).all()):
            return
        what = "weights are not finite" if math.isfinite(loss) else f"training loss is {loss}"
        raise NodeError(
            f"the {what} in epoch {epoch} at learning rate {self._rates[0]:g}",
            hint="a smaller learning rate often helps: --learning-rate",
        )


class _Curve:
    """Measures a job's views of both splits, without a trace in the detector's weights."""

    def __init__(self, job: DetectorJob) -> None:
        self._job = job
        self._cells = [Cell(view.key, view.component) for view in job.curve]
        self._splits = {"train": job.train, "test": job.test}
        self.points: list[CurveMeasurement] = []
        self.seconds = 0.0

    def add(self, point: CurveMeasurement) -> None:
        """Keep what was measured elsewhere."""
        self.points.append(point)

    def measure(self, module: torch.nn.Module, epoch: int) -> None:
        """Add what the job measures of every view of both splits."""
        if not self._cells:
            return
        start = time.perf_counter()
        for name, pictures in self._splits.items():
            chosen = chosen_images(len(pictures), self._job.curve_samples)
            found = evaluate_detector(
                module,
                [pictures[position] for position in np.asarray(chosen)],
                self._job.class_names,
                self._cells,
                device=self._job.device,
            )
            for key, answer in found.items():
                if isinstance(answer, CellFailure):
                    raise answer.error
                value = self._job.measure(answer.predictions)
                self.add(CurveMeasurement(epoch, name, key, "map", value, len(chosen)))
        self.seconds += time.perf_counter() - start

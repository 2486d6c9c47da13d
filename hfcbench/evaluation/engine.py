"""All evaluations of one model in one pass over the images."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.devices import deterministic, generator_for
from hfcbench.errors import NodeError
from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.evaluation.prediction import PredictionBuffer
from hfcbench.frequency.components import Component, extract
from hfcbench.types import Attack, ImageSplit, Predictions

# Rounding of `x + epsilon` in float32, for epsilons and pixels in [0,1].
_TOLERANCE = 1e-6

OnBatch = Callable[[int, int], None]


def evaluate(
    model: torch.nn.Module,
    split: ImageSplit,
    cells: Sequence[Cell],
    *,
    device: torch.device,
    seed: int = 0,
    batch_size: int = 500,
    on_batch: OnBatch | None = None,
) -> dict[str, Predictions | CellFailure]:
    """Predictions of a model under every condition.

    Each batch goes to the device once; components of clean images come from one transform, and
    each attack is called once per batch with all its epsilons. Memory grows with the batch and
    the number of components, not with the number of images. The result of a cell does not depend
    on which other cells are evaluated with it.

    Args:
        model: takes ``(N,C,H,W)`` float32 in [0,1], returns logits; on ``device``.
        split: uint8 images and labels.
        cells: conditions with distinct keys; those with fewer samples use a part of each batch.
        seed: of random attacks.
        batch_size: images at once; random attacks depend on it.
        on_batch: told the number of finished and of all batches.

    Returns:
        For each cell's key its predictions, or why there are none. A defence or attack that fails
        takes only its own cells with it.
    """
    model.eval()
    choices = {samples: split.choice(samples) for samples in {cell.samples for cell in cells}}
    buffers = {cell.key: PredictionBuffer(split.labels[choices[cell.samples]]) for cell in cells}
    failures: dict[str, CellFailure] = {}
    with deterministic():
        lanes = _lanes(model, cells, failures)
        batches = math.ceil(len(split) / batch_size)
        for index in range(batches):
            start = index * batch_size
            batch = _batch(split, start, batch_size, device, index)
            for samples, chosen in choices.items():
                part = batch.part(chosen)
                if len(part.labels):
                    mine = [lane.of(samples) for lane in lanes]
                    _evaluate_batch(part, mine, buffers, failures, seed)
            if on_batch is not None:
                on_batch(index + 1, batches)
    return {
        key: failures[key] if key in failures else buffer.predictions()
        for key, buffer in buffers.items()
    }


@dataclass(frozen=True)
class _Batch:
    """Images ``(B,C,H,W)`` float32 in [0,1], labels ``(B,)`` int64.

    Attributes:
        first: the first image's position in the split, or among the chosen ones.
        index: the batch's number.
    """

    images: Tensor
    labels: Tensor
    first: int
    index: int

    def part(self, chosen: NDArray[np.int64]) -> _Batch:
        """Only the images at these ascending positions of the split."""
        begin, end = np.searchsorted(chosen, (self.first, self.first + len(self.labels)))
        if end - begin == len(self.labels):
            return replace(self, first=int(begin))
        inside = torch.from_numpy(chosen[begin:end] - self.first).to(self.labels.device)
        return _Batch(self.images[inside], self.labels[inside], int(begin), self.index)


@dataclass
class _Lane:
    """One defended model with its clean cells and its attacked cells per attack."""

    model: torch.nn.Module
    clean: list[Cell] = field(default_factory=list)
    attacked: dict[str, list[Cell]] = field(default_factory=dict)

    def of(self, samples: int | None) -> _Lane:
        """The same model with the cells that use that many images."""
        attacked = {
            key: [cell for cell in cells if cell.samples == samples]
            for key, cells in self.attacked.items()
        }
        clean = [cell for cell in self.clean if cell.samples == samples]
        return _Lane(self.model, clean, attacked)


def _batch(split: ImageSplit, start: int, size: int, device: torch.device, index: int) -> _Batch:
    place = slice(start, start + size)
    # The memory map may be read-only, which torch does not take: copy the batch.
    pixels = torch.from_numpy(np.array(split.images[place])).to(device)
    labels = torch.from_numpy(np.array(split.labels[place], dtype=np.int64)).to(device)
    return _Batch(pixels.float().div_(255), labels, start, index)


def _lanes(
    model: torch.nn.Module, cells: Sequence[Cell], failures: dict[str, CellFailure]
) -> list[_Lane]:
    lanes: dict[str, _Lane] = {}
    for key in dict.fromkeys(cell.defence_key for cell in cells):
        mine = [cell for cell in cells if cell.defence_key == key]
        with _failing(mine, failures):
            defence = mine[0].defence
            defended = model if defence is None else defence.defend(model)
            lane = lanes[key] = _Lane(defended.eval())
            for cell in mine:
                if cell.attack is None:
                    lane.clean.append(cell)
                else:
                    lane.attacked.setdefault(cell.attack_key, []).append(cell)
    return list(lanes.values())


def _evaluate_batch(
    batch: _Batch,
    lanes: Sequence[_Lane],
    buffers: dict[str, PredictionBuffer],
    failures: dict[str, CellFailure],
    seed: int,
) -> None:
    clean = [cell for lane in lanes for cell in lane.clean if cell.key not in failures]
    views = _Views(batch.images, clean, failures)
    for lane in lanes:
        for cell in lane.clean:
            _predict(lane.model, cell, views, batch, buffers, failures)
        for cells in lane.attacked.values():
            remaining = [cell for cell in cells if cell.key not in failures]
            if remaining:
                _evaluate_attack(lane.model, remaining, batch, buffers, failures, seed)


class _Views:
    """The components of one batch of images that some cells want, from one transform each."""

    def __init__(
        self, images: Tensor, cells: Sequence[Cell], failures: dict[str, CellFailure]
    ) -> None:
        self._views: list[tuple[Component, Tensor]] = []
        with _failing(cells, failures), torch.inference_mode():
            components: list[Component] = []
            for cell in cells:
                if cell.component not in components:
                    components.append(cell.component)
            self._views = list(zip(components, extract(images, components), strict=True))

    def of(self, component: Component) -> Tensor:
        return next(view for known, view in self._views if known == component)


def _evaluate_attack(
    model: torch.nn.Module,
    cells: Sequence[Cell],
    batch: _Batch,
    buffers: dict[str, PredictionBuffer],
    failures: dict[str, CellFailure],
    seed: int,
) -> None:
    epsilons = sorted({cell.epsilon for cell in cells if cell.epsilon is not None})
    attack = cells[0].attack
    with _failing(cells, failures):
        if attack is None or any(cell.epsilon is None for cell in cells):
            raise NodeError(f"attack {cells[0].attack_key} was given no epsilon")
        generator = generator_for(batch.images.device, seed, cells[0].attack_key, batch.index)
        found = _perturb(attack, cells[0].attack_key, model, batch, epsilons, generator)
        for epsilon, images in zip(epsilons, found, strict=True):
            mine = [cell for cell in cells if cell.epsilon == epsilon]
            views = _Views(images, mine, failures)
            for cell in mine:
                _predict(model, cell, views, batch, buffers, failures)


def _perturb(
    attack: Attack,
    name: str,
    model: torch.nn.Module,
    batch: _Batch,
    epsilons: Sequence[float],
    generator: torch.Generator,
) -> list[Tensor]:
    """Adversarial images, checked against what every attack guarantees."""
    found = attack.perturb(model, batch.images, batch.labels, epsilons, generator)
    if len(found) != len(epsilons):
        raise NodeError(f"attack {name} returned {len(found)} batches for {len(epsilons)} epsilons")
    for epsilon, images in zip(epsilons, found, strict=True):
        if images.shape != batch.images.shape:
            raise NodeError(
                f"attack {name} returned images of shape {tuple(images.shape)} instead of "
                f"{tuple(batch.images.shape)}"
            )
        if not bool(torch.isfinite(images).all()):
            raise NodeError(f"attack {name} returned pixels that are not finite")
        if float(images.min()) < 0 or float(images.max()) > 1:
            raise NodeError(f"attack {name} at epsilon {epsilon:g} left the pixel range [0,1]")
        distance = float((images - batch.images).abs().max())
        if distance > epsilon + _TOLERANCE:
            raise NodeError(f"attack {name} moved a pixel by {distance:g}, epsilon is {epsilon:g}")
    return [images.detach() for images in found]


def _predict(
    model: torch.nn.Module,
    cell: Cell,
    views: _Views,
    batch: _Batch,
    buffers: dict[str, PredictionBuffer],
    failures: dict[str, CellFailure],
) -> None:
    if cell.key in failures:
        return
    with _failing([cell], failures), torch.inference_mode():
        buffers[cell.key].put(batch.first, model(views.of(cell.component)), batch.labels)


@contextmanager
def _failing(cells: Sequence[Cell], failures: dict[str, CellFailure]) -> Iterator[None]:
    """Turn an error into a failure of these cells: others must not be lost with them."""
    try:
        yield
    except Exception as error:
        for cell in cells:
            failures.setdefault(cell.key, CellFailure(error, traceback.format_exc()))

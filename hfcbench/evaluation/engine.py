"""All evaluations of one model in one pass over the images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.adversarial.reliability import merged
from hfcbench.devices import derived_seed, deterministic, generator_for, seeded, to_device
from hfcbench.evaluation.batching import component_groups, default_batch_size
from hfcbench.evaluation.cells import Cell, CellFailure, CellResult, Failures
from hfcbench.evaluation.lanes import Lane, class_count, defended_lane
from hfcbench.evaluation.prediction import PredictionBuffer, answers, checked_logits
from hfcbench.evaluation.searches import AttackedCells, checks_of
from hfcbench.frequency.components import extract
from hfcbench.reliability_checks import Check
from hfcbench.types import ImageSplit, Predictions

OnBatch = Callable[[int, int], None]


def evaluate(
    model: torch.nn.Module,
    split: ImageSplit,
    cells: Sequence[Cell],
    *,
    device: torch.device,
    seed: int = 0,
    batch_size: int | None = None,
    on_batch: OnBatch | None = None,
) -> dict[str, CellResult[Predictions] | CellFailure]:
    """Predictions of a model under every condition.

    Each batch goes to the device once; components of clean images come from one transform (of
    large images, from one for a few cutoffs at a time), and each search serves all its epsilons.
    Memory is bounded by the batch. The result of a cell, checks included, does not depend on which
    other cells are evaluated with it: a worst case counts the epsilons that its search names.

    Args:
        model: takes ``(N,C,H,W)`` float32 in [0,1], returns logits; on ``device``. Left in
            evaluation mode, otherwise as it was.
        split: uint8 images and labels.
        cells: conditions with distinct keys; those with fewer samples use a part of each batch.
        seed: of random attacks.
        batch_size: images at once; random attacks depend on it. None decides by the images' size.
        on_batch: told the number of finished and of all batches.

    Returns:
        For each cell's key its predictions and checks, or why there are none. A defence, attack or
        decomposition that fails takes only its own cells with it. Logits that are not numbers are
        no failure: see :func:`hfcbench.evaluation.prediction.answers`.

    Raises:
        ValueError: two cells have one key.
    """
    if len({cell.key for cell in cells}) != len(cells):
        raise ValueError("cells must have distinct keys")
    model.eval()
    size = default_batch_size(split) if batch_size is None else batch_size
    batches = math.ceil(len(split) / size)
    with deterministic():
        evaluation = _Evaluation(model, split, cells, seed)
        for index in range(batches):
            evaluation.run(_batch(split, index, size, device))
            if on_batch is not None:
                on_batch(index + 1, batches)
    return evaluation.results()


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
        inside = to_device(chosen[begin:end] - self.first, self.labels.device)
        return _Batch(self.images[inside], self.labels[inside], int(begin), self.index)


def _batch(split: ImageSplit, index: int, size: int, device: torch.device) -> _Batch:
    start = index * size
    place = slice(start, start + size)
    images = to_device(split.images[place], device).float().div_(255)
    return _Batch(images, to_device(split.labels[place], device).long(), start, index)


class _Evaluation:
    """What is asked of one model, what it has answered so far, and what has failed."""

    def __init__(
        self, model: torch.nn.Module, split: ImageSplit, cells: Sequence[Cell], seed: int
    ) -> None:
        self._model = model
        self._labels = split.labels
        self._cells = cells
        self._choices = {number: split.choice(number) for number in {c.samples for c in cells}}
        self._seed = seed
        self._classes: int | None = None
        self._buffers = {
            cell.key: PredictionBuffer(split.labels[self._choices[cell.samples]]) for cell in cells
        }
        self._failures = Failures()
        self._checks: dict[str, list[dict[str, Check]]] = {}
        self._answered: list[tuple[Cell, Tensor]] = []
        self._lanes: list[Lane] = []
        for key in dict.fromkeys(cell.defence_key for cell in cells):
            mine = [cell for cell in cells if cell.defence_key == key]
            with self._failures.of(mine):
                self._lanes.append(defended_lane(model, mine))

    def run(self, batch: _Batch) -> None:
        """Every cell that has not failed, on one batch."""
        if self._classes is None:
            with self._failures.of(self._cells):
                self._classes = class_count(self._model, batch.images[:1], self._labels)
        for samples, chosen in self._choices.items():
            part = batch.part(chosen)
            if len(part.labels):
                self._run_part(part, samples)

    def _run_part(self, batch: _Batch, samples: int | None) -> None:
        wanted = [
            (lane.model, cell) for lane in self._lanes for cell in lane.clean.get(samples, ())
        ]
        self._predict(batch, batch.images, wanted)
        for lane in self._lanes:
            for group in lane.attacked.get(samples, ()):
                self._attack(batch, lane, group, len(self._choices[samples]))
        self._store(batch)

    def results(self) -> dict[str, CellResult[Predictions] | CellFailure]:
        """Results or failure by key."""
        found: dict[str, CellResult[Predictions] | CellFailure] = {}
        for key, buffer in self._buffers.items():
            checks = tuple(merged(self._checks.get(key, ())).values())
            result = CellResult(buffer.predictions(), checks)
            found[key] = self._failures.by_key.get(key, result)
        return found

    def _attack(self, batch: _Batch, lane: Lane, group: AttackedCells, total: int) -> None:
        """Search, look at how far to trust what was found, and ask the model about it.

        Args:
            total: how many images the group attacks in all batches.
        """
        group = group.without(set(self._failures.by_key))
        if not group.cells:
            return
        device, name = batch.images.device, group.name
        with self._failures.of(group.cells):
            # Random defences draw from torch's own generator.
            with seeded(device, self._seed, "attacked", name, batch.index):
                generator = generator_for(device, self._seed, name, batch.index)
                found = list(lane.attacker.search(group, batch.images, batch.labels, generator))
            seed = derived_seed(self._seed, "probe", name, batch.index)
            probe = lane.attacker.probe(
                group, batch.images, batch.labels, seed=seed, before=batch.first, total=total
            )
            checks = checks_of(group, probe, found)
            for epsilon, result in zip(group.epsilons, found, strict=True):
                cells = group.at(epsilon)
                self._predict(batch, result.images, [(lane.model, cell) for cell in cells])
                for cell in cells:
                    self._checks.setdefault(cell.key, []).append(checks[epsilon])

    def _predict(
        self, batch: _Batch, images: Tensor, wanted: Sequence[tuple[torch.nn.Module, Cell]]
    ) -> None:
        """Answers to the components that each cell wants of the images."""
        wanted = [(model, cell) for model, cell in wanted if cell not in self._failures]
        size = images.numel() * images.element_size()
        for group in component_groups((cell.component for _, cell in wanted), size):
            mine = [(model, cell) for model, cell in wanted if cell.component in group]
            with self._failures.of([cell for _, cell in mine]), torch.inference_mode():
                for component, view in zip(group, extract(images, group), strict=True):
                    for model, cell in mine:
                        if cell.component == component:
                            self._answer(batch, model, cell, view)

    def _answer(self, batch: _Batch, model: torch.nn.Module, cell: Cell, view: Tensor) -> None:
        with self._failures.of([cell]):
            defended = "" if cell.defence is None else f" with defence '{cell.defence_key}'"
            with self._drawing(batch, cell):
                logits = checked_logits(
                    model(view), len(batch.labels), self._classes, f"the model{defended}"
                )
            self._answered.append((cell, answers(logits, batch.labels)))

    def _drawing(self, batch: _Batch, cell: Cell) -> AbstractContextManager[None]:
        """What random defences draw must not depend on which other cells there are."""
        if cell.defence is None:
            return nullcontext()
        return seeded(batch.images.device, self._seed, "answers", batch.index)

    def _store(self, batch: _Batch) -> None:
        if self._answered:
            # One transfer for all cells: each would wait for a GPU to finish.
            values = torch.stack([answer for _, answer in self._answered]).cpu().numpy()
            for (cell, _), answer in zip(self._answered, values, strict=True):
                self._buffers[cell.key].put(batch.first, answer)
            self._answered.clear()

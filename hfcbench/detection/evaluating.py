"""All evaluations of one detector in one pass over the pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hfcbench.detection.answers import DetectionBuffer, checked
from hfcbench.detection.picture_sets import picture_set, pixels_of
from hfcbench.detection_types import Detections, Picture
from hfcbench.devices import deterministic, seeded, to_device
from hfcbench.evaluation.batching import component_groups
from hfcbench.evaluation.cells import Cell, CellFailure, CellResult, Failures
from hfcbench.frequency.components import extract
from hfcbench.sampling import chosen_images

OnPicture = Callable[[int, int], None]


def evaluate_detector(
    detector: torch.nn.Module,
    pictures: Sequence[Picture],
    class_names: Sequence[str],
    cells: Sequence[Cell],
    *,
    device: torch.device,
    seed: int = 0,
    on_picture: OnPicture | None = None,
) -> dict[str, CellResult[Detections] | CellFailure]:
    """Detections under every condition.

    Each picture is decoded once, at its own size, and all its components come from one transform
    (of large pictures, from one for a few cutoffs at a time). The detector sees one view at a time,
    so that the result of a cell does not depend on which others are evaluated with it, and memory
    on neither the number of pictures nor that of cells.

    Args:
        detector: a :class:`~hfcbench.detection_types.DetectorModule` on ``device``; left in
            evaluation mode, otherwise as it was.
        pictures: of a split.
        class_names: of the dataset; what the detector was built for.
        cells: conditions with distinct keys, without attacks; those with fewer samples use a part
            of the pictures.
        seed: of random defences.
        on_picture: told the number of finished and of all pictures.

    Returns:
        For each cell's key its detections, or why there are none. A defence, a decomposition or
        an answer that fails takes only its own cells with it.

    Raises:
        ValueError: two cells have one key, or one of them an attack.
        DataError: a picture cannot be decoded.
    """
    if len({cell.key for cell in cells}) != len(cells):
        raise ValueError("cells must have distinct keys")
    if any(cell.attack is not None for cell in cells):
        raise ValueError("detectors are not attacked")
    detector.eval()
    with deterministic(), torch.inference_mode():
        evaluation = _Evaluation(detector, pictures, class_names, cells, seed)
        wanted = evaluation.positions
        for done, position in enumerate(wanted, 1):
            pixels = to_device(pixels_of(pictures[position])[None], device)
            evaluation.run(int(position), pixels.float().div_(255))
            if on_picture is not None:
                on_picture(done, len(wanted))
    return evaluation.results()


@dataclass(frozen=True)
class _Asked:
    """A cell with the detector that answers for it and where its answers go."""

    cell: Cell
    detector: torch.nn.Module
    chosen: frozenset[int]
    buffer: DetectionBuffer


class _Evaluation:
    """What is asked of one detector, what it has answered so far, and what has failed."""

    def __init__(
        self,
        detector: torch.nn.Module,
        pictures: Sequence[Picture],
        class_names: Sequence[str],
        cells: Sequence[Cell],
        seed: int,
    ) -> None:
        self._classes = len(class_names)
        self._seed = seed
        self._failures = Failures()
        self._asked: list[_Asked] = []
        sets = {
            samples: chosen_images(len(pictures), samples)
            for samples in {cell.samples for cell in cells}
        }
        known = {
            samples: picture_set([pictures[position] for position in chosen], class_names)
            for samples, chosen in sets.items()
        }
        self.positions = np.unique(np.concatenate([np.empty(0, np.int64), *sets.values()]))
        defended = self._defended(detector, cells)
        for cell in cells:
            if cell not in self._failures:
                chosen = frozenset(map(int, sets[cell.samples]))
                buffer = DetectionBuffer(known[cell.samples])
                self._asked.append(_Asked(cell, defended[cell.defence_key], chosen, buffer))

    def _defended(
        self, detector: torch.nn.Module, cells: Sequence[Cell]
    ) -> Mapping[str, torch.nn.Module]:
        made: dict[str, torch.nn.Module] = {}
        for key in dict.fromkeys(cell.defence_key for cell in cells):
            mine = [cell for cell in cells if cell.defence_key == key]
            with self._failures.of(mine):
                defence = mine[0].defence
                made[key] = detector if defence is None else defence.defend(detector).eval()
        return made

    def run(self, position: int, image: Tensor) -> None:
        """Every cell that wants this picture ``(1,3,H,W)`` and has not failed."""
        wanted = [
            asked
            for asked in self._asked
            if position in asked.chosen and asked.cell not in self._failures
        ]
        size = image.numel() * image.element_size()
        for group in component_groups((asked.cell.component for asked in wanted), size):
            mine = [asked for asked in wanted if asked.cell.component in group]
            with self._failures.of([asked.cell for asked in mine]):
                for component, view in zip(group, extract(image, group), strict=True):
                    for asked in mine:
                        if asked.cell.component == component:
                            self._ask(asked, position, view)

    def _ask(self, asked: _Asked, position: int, view: Tensor) -> None:
        with self._failures.of([asked.cell]):
            # Random defences draw from torch's own generator.
            with seeded(view.device, self._seed, "detections", position):
                answer = asked.detector(view)
            asked.buffer.add(checked(answer, self._classes))

    def results(self) -> dict[str, CellResult[Detections] | CellFailure]:
        """Detections or failure by key."""
        found: dict[str, CellResult[Detections] | CellFailure] = dict(self._failures.by_key)
        for asked in self._asked:
            if asked.cell not in self._failures:
                found[asked.cell.key] = CellResult(asked.buffer.detections())
        return found

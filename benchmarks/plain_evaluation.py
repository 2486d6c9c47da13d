"""Nine views evaluated the way scripts do it, one after the other, and ours in one pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from frequency_peers import part_of
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from hfcbench.allocator import keep_freed_memory
from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.evaluation.cells import Cell, CellResult
from hfcbench.evaluation.engine import evaluate
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.types import ImageSplit

BATCH = 100
Answers = dict[str, "np.ndarray"]


def views(radii: tuple[int, ...]) -> dict[str, tuple[int, int] | None]:
    """The original, and each radius' low and high part as (radius, part)."""
    parts = {f"{name}@{radius}": (radius, part) for radius in radii for part, name in _NAMES}
    return {"original": None, **parts}


_NAMES = ((0, "lfc"), (1, "hfc"))


def plain(
    network: Callable[[], nn.Module],
    weights: Path,
    data: Path,
    radii: tuple[int, ...],
    folder: Path,
) -> Callable[[], Answers]:
    """Each component made for the whole set, stored, loaded, evaluated; the model loaded anew."""

    def run() -> Answers:
        found = {}
        for name, view in views(radii).items():
            images = torch.from_numpy(np.load(data)).float() / 255
            if view is not None:
                images = part_of(images, *view)
            path = folder / "component.npy"
            np.save(path, images.numpy())
            found[name] = _answers(network, weights, torch.from_numpy(np.load(path)))
        return found

    return run


@torch.no_grad()
def _answers(network: Callable[[], nn.Module], weights: Path, images: Tensor) -> np.ndarray:
    model = network()
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    batches = DataLoader(TensorDataset(images), BATCH)
    return torch.cat([model(batch).argmax(1) for (batch,) in batches]).numpy()


def ours(
    network: Callable[[], nn.Module], weights: Path, data: Path, radii: tuple[int, ...]
) -> Callable[[], Answers]:
    keep_freed_memory()
    cells = [
        Cell(name, ORIGINAL if view is None else Component(FFTRadial(), view[1], view[0]))
        for name, view in views(radii).items()
    ]

    def run() -> Answers:
        model = network()
        model.load_state_dict(torch.load(weights, weights_only=True))
        images = np.load(data, mmap_mode="r")
        split = ImageSplit(images, np.zeros(len(images), np.int64))
        found = evaluate(model, split, cells, device=torch.device("cpu"))
        return {key: _predicted(result) for key, result in found.items()}

    return run


def _predicted(result: object) -> np.ndarray:
    assert isinstance(result, CellResult)
    predicted: np.ndarray = result.predictions.predicted
    return predicted

"""Defended models and what is asked of each."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.errors import NodeError
from hfcbench.evaluation.cells import Cell
from hfcbench.evaluation.prediction import checked_logits


@dataclass
class Lane:
    """One defended model with its clean cells and its attacked cells per attack."""

    model: torch.nn.Module
    clean: list[Cell] = field(default_factory=list)
    attacked: dict[str, list[Cell]] = field(default_factory=dict)

    def of(self, samples: int | None) -> Lane:
        """The same model with the cells that use that many images."""
        attacked = {
            key: [cell for cell in cells if cell.samples == samples]
            for key, cells in self.attacked.items()
        }
        clean = [cell for cell in self.clean if cell.samples == samples]
        return Lane(self.model, clean, attacked)


def class_count(model: torch.nn.Module, image: Tensor, labels: NDArray[np.integer[Any]]) -> int:
    """How many classes the undefended model tells apart, which no defence may change.

    Args:
        model: in evaluation mode.
        image: ``(1,C,H,W)`` float32 in [0,1].
        labels: all that will be asked for.

    Raises:
        NodeError: no logits, or too few of them for the labels.
    """
    with torch.inference_mode():
        classes = checked_logits(model(image), 1, None, "the model").shape[1]
    if int(labels.max()) >= classes:
        raise NodeError(
            f"the model tells {classes} classes apart, but there are labels up to {labels.max()}"
        )
    return classes


def defended_lane(model: torch.nn.Module, cells: Sequence[Cell]) -> Lane:
    """The defended model that these cells share; ``model`` itself stays as it is.

    Raises:
        NodeError: the defence returned no model.
    """
    defence, name = cells[0].defence, cells[0].defence_key
    # A copy, so that a defence which changes its model by mistake spoils only its own cells.
    defended: object = model if defence is None else defence.defend(copy.deepcopy(model))
    if not isinstance(defended, torch.nn.Module):
        raise NodeError(f"defence '{name}' returned {type(defended).__name__}, which is no model")
    lane = Lane(defended.eval())
    for cell in cells:
        if cell.attack is None:
            lane.clean.append(cell)
        else:
            lane.attacked.setdefault(cell.attack_key, []).append(cell)
    return lane

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
from hfcbench.evaluation.searches import AttackedCells, Attacker, attacked_cells


@dataclass
class Lane:
    """One defended model with its clean cells and its attacked cells, of a number of images.

    Attributes:
        model: in evaluation mode.
        attacker: of that model.
    """

    model: torch.nn.Module
    attacker: Attacker
    clean: dict[int | None, list[Cell]] = field(default_factory=dict)
    attacked: dict[int | None, list[AttackedCells]] = field(default_factory=dict)


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
    lane = Lane(defended.eval(), Attacker(defended, model))
    for samples in dict.fromkeys(cell.samples for cell in cells):
        mine = [cell for cell in cells if cell.samples == samples]
        lane.clean[samples] = [cell for cell in mine if cell.attack is None]
        lane.attacked[samples] = attacked_cells(mine)
    return lane

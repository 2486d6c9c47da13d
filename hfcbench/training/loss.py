"""The loss that a model is trained on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.errors import NodeError
from hfcbench.types import Batch, Heuristic


def training_loss(
    batch: Batch, model: nn.Module, heuristics: Sequence[tuple[Heuristic, torch.Generator]]
) -> Tensor:
    """The mean loss of a batch, a scalar: that of the heuristic which decides it, if one does.

    Otherwise it is the cross-entropy against the batch's targets, in nats.

    Args:
        batch: as the heuristics' transforms left it.
        model: in training mode.
        heuristics: each with its own source of randomness.

    Raises:
        NodeError: two heuristics decide the loss, or one returned something else than a scalar
            with a gradient.
    """
    decided: dict[str, Tensor] = {}
    for heuristic, generator in heuristics:
        loss = heuristic.loss(batch, model, generator)
        if loss is None:
            continue
        name = type(heuristic).__name__
        _check(loss, name)
        if decided:
            raise NodeError(
                f"two heuristics of one training decide the loss: {next(iter(decided))} and {name}",
                hint='heuristics with a loss claim "the loss" in configure, which tells earlier',
            )
        decided[name] = loss
    if decided:
        return next(iter(decided.values()))
    return F.cross_entropy(model(batch.images), batch.targets)


def _check(loss: object, name: str) -> None:
    if not isinstance(loss, Tensor):
        raise NodeError(f"heuristic {name} returned {type(loss).__name__} as loss, not a tensor")
    if loss.ndim:
        raise NodeError(
            f"heuristic {name} returned a loss of shape {tuple(loss.shape)}, not one number"
        )
    if not loss.requires_grad:
        raise NodeError(f"heuristic {name} returned a loss without a gradient")

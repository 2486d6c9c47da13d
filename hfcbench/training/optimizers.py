"""The schedule's optimizer over a model's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from hfcbench.errors import SpecificationError
from hfcbench.optimizers import check_optimizer, optimizer_classes
from hfcbench.types import Schedule

# One kernel for a whole step, on these devices for any such optimizer, as deterministic as others.
_FUSED = ("Adam", "AdamW", "SGD")
_FUSED_DEVICES = ("cpu", "cuda")
_ABOUT_KERNELS = ("fused", "foreach", "differentiable", "capturable")


def make_optimizer(
    schedule: Schedule, parameters: Iterable[torch.nn.Parameter]
) -> torch.optim.Optimizer:
    """An optimizer at the schedule's learning rate and options, fused where torch can.

    Raises:
        SpecificationError: no such class in :mod:`torch.optim`, or options that it does not take.
    """
    name = schedule.optimizer
    check_optimizer(name, schedule.optimizer_options)
    options: dict[str, Any] = dict(schedule.optimizer_options)
    if schedule.learning_rate is not None:
        options["lr"] = schedule.learning_rate
    trained = list(parameters)
    decided = any(options.get(option) for option in _ABOUT_KERNELS)
    if name in _FUSED and not decided and all(_may_fuse(parameter) for parameter in trained):
        options.setdefault("fused", True)
    try:
        optimizer: torch.optim.Optimizer = optimizer_classes()[name](trained, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SpecificationError(f"optimizer '{name}' cannot be made: {error}") from error
    return optimizer


def _may_fuse(parameter: torch.nn.Parameter) -> bool:
    return parameter.is_floating_point() and parameter.device.type in _FUSED_DEVICES

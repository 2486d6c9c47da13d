"""Optimizers by the name of their class in torch.optim."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import torch

from hfcbench.errors import SpecificationError, nearest
from hfcbench.types import Schedule


def make_optimizer(
    schedule: Schedule, parameters: Iterable[torch.nn.Parameter]
) -> torch.optim.Optimizer:
    """The schedule's optimizer over these parameters.

    Raises:
        SpecificationError: no such class in :mod:`torch.optim`, or options that it does not take.
    """
    known = optimizer_classes()
    if schedule.optimizer not in known:
        raise SpecificationError(
            f"there is no optimizer '{schedule.optimizer}' in torch.optim; "
            f"{nearest(schedule.optimizer, known)}"
        )
    made = known[schedule.optimizer]
    options: dict[str, Any] = dict(schedule.optimizer_options)
    accepted = set(inspect.signature(made).parameters) - {"params"}
    for name in options:
        if name not in accepted:
            raise SpecificationError(
                f"optimizer {schedule.optimizer} has no option '{name}'; {nearest(name, accepted)}"
            )
    if schedule.learning_rate is not None:
        options.setdefault("lr", schedule.learning_rate)
    try:
        optimizer: torch.optim.Optimizer = made(parameters, **options)
    except (TypeError, ValueError) as error:
        raise SpecificationError(f"optimizer {schedule.optimizer}: {error}") from error
    return optimizer


def optimizer_classes() -> dict[str, Any]:
    """Every optimizer of torch that takes one step per batch, by class name."""
    return {
        name: value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value)
        and issubclass(value, torch.optim.Optimizer)
        and value not in (torch.optim.Optimizer, torch.optim.LBFGS, torch.optim.SparseAdam)
    }

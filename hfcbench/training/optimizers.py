"""The schedule's optimizer over a model's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from hfcbench.errors import SpecificationError
from hfcbench.optimizers import check_optimizer, optimizer_classes
from hfcbench.types import Schedule


def make_optimizer(
    schedule: Schedule, parameters: Iterable[torch.nn.Parameter]
) -> torch.optim.Optimizer:
    """An optimizer at the schedule's learning rate and options.

    Raises:
        SpecificationError: no such class in :mod:`torch.optim`, or options that it does not take.
    """
    check_optimizer(schedule.optimizer, schedule.optimizer_options)
    options: dict[str, Any] = dict(schedule.optimizer_options)
    if schedule.learning_rate is not None:
        options["lr"] = schedule.learning_rate
    try:
        optimizer: torch.optim.Optimizer = optimizer_classes()[schedule.optimizer](
            parameters, **options
        )
    except (TypeError, ValueError) as error:
        raise SpecificationError(f"optimizer {schedule.optimizer}: {error}") from error
    return optimizer

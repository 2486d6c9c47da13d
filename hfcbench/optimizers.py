"""The optimizers of torch by the names of their classes, checked before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from hfcbench.errors import SpecificationError, nearest

# Known without importing torch, which plans with nothing left to run have no need for.
_COMMON = ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop")

_UNUSABLE = {
    "LBFGS": "it evaluates the loss several times in one step",
    "SparseAdam": "it takes sparse gradients only",
    "Muon": "it updates matrices only, not the weights of convolutions",
}


def check_optimizer(name: str, options: Mapping[str, Any]) -> None:
    """Raise SpecificationError unless such an optimizer can be made.

    Args:
        name: a class of ``torch.optim``, written as there.
        options: its keyword arguments except ``params`` and ``lr``.
    """
    if name not in _COMMON:
        _check_name(name)
    if options:
        _check_options(name, options)


def _check_name(name: str) -> None:
    if name in _UNUSABLE:
        raise SpecificationError(f"optimizer '{name}' cannot train these models: {_UNUSABLE[name]}")
    usable = set(optimizer_classes()) - set(_UNUSABLE)
    if name not in usable:
        # Most misspellings are of case, which a comparison letter by letter does not see as near.
        same = [known for known in usable if known.lower() == name.lower()]
        known = f"did you mean '{same[0]}'?" if same else nearest(name, usable)
        raise SpecificationError(f"there is no optimizer '{name}' in torch.optim; {known}")


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    import torch

    if "lr" in options:
        raise SpecificationError(
            f"optimizer '{name}': its options hold 'lr'", hint="give it as learning_rate"
        )
    optimizer = optimizer_classes()[name]
    accepted = set(inspect.signature(optimizer).parameters) - {"params", "lr"}
    for option in options:
        if option not in accepted:
            raise SpecificationError(
                f"optimizer '{name}' has no option '{option}'; {nearest(option, accepted)}"
            )
    try:
        optimizer([torch.zeros(1, requires_grad=True)], **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SpecificationError(f"optimizer '{name}' refuses its options: {error}") from error


def optimizer_classes() -> dict[str, Any]:
    """Every optimizer class of torch, by name."""
    import torch

    return {
        name: value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value)
        and issubclass(value, torch.optim.Optimizer)
        and value is not torch.optim.Optimizer
    }

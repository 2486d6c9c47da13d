"""Another optimizer (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Gt

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError, nearest
from hfcbench.hookspecs import Register
from hfcbench.types import Heuristic, Recipe

# Known without importing torch, which plans with nothing left to run have no need for.
_COMMON = ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop")

_UNUSABLE = {
    "LBFGS": "it evaluates the loss several times in one step",
    "SparseAdam": "it takes sparse gradients only",
    "Muon": "it updates matrices only, not the weights of convolutions",
}


@dataclass(frozen=True)
class Optimizer(Heuristic):
    """Train with another optimizer of torch.optim, at its own learning rate unless one is given.

    Attributes:
        name: a class of ``torch.optim``, written as there: SGD, Adam, Adagrad, Adadelta, RMSprop.
        learning_rate: None takes the default of that class, not the schedule's.
        options: further keyword arguments of that class, e.g. ``{"momentum": 0.9}``.
    """

    name: str
    learning_rate: Annotated[float, Gt(0)] | None = None
    options: dict[str, bool | int | float | list[float] | None] = field(default_factory=dict)

    def configure(self, recipe: Recipe) -> Recipe:
        recipe = recipe.claimed("the optimizer", "optimizer")
        if self.name not in _COMMON:
            _check_name(self.name)
        if self.options:
            _check_options(self.name, self.options)
        schedule = replace(
            recipe.schedule,
            optimizer=self.name,
            learning_rate=self.learning_rate,
            optimizer_options=dict(self.options),
        )
        return replace(recipe, schedule=schedule)


def _check_name(name: str) -> None:
    if name in _UNUSABLE:
        raise SpecificationError(f"optimizer '{name}' cannot train these models: {_UNUSABLE[name]}")
    usable = set(_optimizer_classes()) - set(_UNUSABLE)
    if name not in usable:
        # Most misspellings are of case, which a comparison letter by letter does not see as near.
        same = [known for known in usable if known.lower() == name.lower()]
        known = f"did you mean '{same[0]}'?" if same else nearest(name, usable)
        raise SpecificationError(f"there is no optimizer '{name}' in torch.optim; {known}")


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    import inspect

    import torch

    if "lr" in options:
        raise SpecificationError(
            f"optimizer '{name}': its options hold 'lr'", hint="give it as learning_rate"
        )
    optimizer = _optimizer_classes()[name]
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


def _optimizer_classes() -> dict[str, Any]:
    import inspect

    import torch

    return {
        name: value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value)
        and issubclass(value, torch.optim.Optimizer)
        and value is not torch.optim.Optimizer
    }


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("optimizer", Optimizer, version="1", argument="name")

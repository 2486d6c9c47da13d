"""Another optimizer (paper, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from annotated_types import Gt

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.optimizers import check_optimizer
from hfcbench.types import Heuristic, Recipe


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
        check_optimizer(self.name, self.options)
        schedule = replace(
            recipe.schedule,
            optimizer=self.name,
            learning_rate=self.learning_rate,
            optimizer_options=dict(self.options),
        )
        return replace(recipe, schedule=schedule)


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("optimizer", Optimizer, version="1", argument="name")

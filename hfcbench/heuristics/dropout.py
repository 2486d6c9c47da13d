"""Dropout (paper, section 5.1, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Heuristic, Recipe


@dataclass(frozen=True)
class Dropout(Heuristic):
    """Drop inputs of the model's fully connected layers with probability p while training."""

    p: Annotated[float, Interval(gt=0, lt=1)] = 0.5

    def configure(self, recipe: Recipe) -> Recipe:
        recipe = recipe.claimed("dropout", "dropout")
        return replace(recipe, options=replace(recipe.options, dropout=self.p))


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("dropout", Dropout, version="1")

"""Another batch size (paper, section 5.1, figure 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Heuristic, Recipe


@dataclass(frozen=True)
class BatchSize(Heuristic):
    """Train on batches of another size."""

    size: Annotated[int, Ge(1)]

    def configure(self, recipe: Recipe) -> Recipe:
        recipe = recipe.claimed("the batch size", "batch-size")
        return replace(recipe, schedule=replace(recipe.schedule, batch_size=self.size))


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("batch-size", BatchSize, version="1", argument="size")

"""Batch normalisation (paper, section 5.1, figures 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Heuristic, Recipe


@dataclass(frozen=True)
class BatchNorm(Heuristic):
    """Put BatchNorm behind the model's convolutions, starting at scale 1 and offset 0."""

    def configure(self, recipe: Recipe) -> Recipe:
        recipe = recipe.claimed("BatchNorm", "batchnorm")
        return replace(recipe, options=replace(recipe.options, batchnorm=True))


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("batchnorm", BatchNorm, version="1")

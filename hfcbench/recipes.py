"""From a schedule and heuristics to the complete recipe of a training; light, needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from hfcbench.types import Heuristic, Recipe, Schedule


def configured(schedule: Schedule, heuristics: Sequence[Heuristic]) -> Recipe:
    """The recipe after every heuristic had its say, in order, and none objects to the outcome.

    Raises:
        SpecificationError: two of them contradict each other, or one would be without effect.
    """
    recipe = Recipe(schedule=schedule)
    for heuristic in heuristics:
        recipe = heuristic.configure(recipe)
    for heuristic in heuristics:
        heuristic.check(recipe)
    return recipe

"""Labels without relation to the images (paper, section 4.2, figure 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Heuristic, Recipe

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LabelShuffling(Heuristic):
    """Train on labels that were shuffled once among all training images."""

    def configure(self, recipe: Recipe) -> Recipe:
        return recipe.claimed("the training labels", "label-shuffling")

    def relabel(
        self, labels: torch.Tensor, classes: int, generator: torch.Generator
    ) -> torch.Tensor:
        """The same labels ``(N,)`` in another order: each class keeps its number of images.

        The order is drawn once per training, so that an image has the same label in every epoch.
        """
        import torch

        order = torch.randperm(len(labels), generator=generator, device=generator.device)
        return labels[order.to(labels.device)]


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("label-shuffling", LabelShuffling, version="1")

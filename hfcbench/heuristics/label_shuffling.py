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

    def label_order(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """A random permutation ``(count,)`` of all images: each class keeps its number of images.

        It is drawn once per training, so that an image has the same label in every epoch.
        """
        import torch

        return torch.randperm(count, generator=generator, device=generator.device).cpu()


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("label-shuffling", LabelShuffling, version="1")

"""Mix-up (paper, section 5.1, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.types import Batch, Heuristic, Recipe

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Mixup(Heuristic):
    """Train on weighted means of two images and their labels; weights from Beta(alpha, alpha)."""

    alpha: Annotated[float, Gt(0)] = 0.5

    def configure(self, recipe: Recipe) -> Recipe:
        return recipe.claimed("mix-up", "mixup")

    def check(self, recipe: Recipe) -> None:
        """Raise SpecificationError for batches of one image, which leave nothing to mix."""
        if recipe.schedule.batch_size == 1:
            by = recipe.claims.get("the batch size")
            decides = "the schedule" if by is None else f"heuristic '{by}'"
            raise SpecificationError(
                "heuristic 'mixup' mixes the images of a batch with each other, "
                f"and {decides} makes batches of one image"
            )

    def transform(self, batch: Batch, model: torch.nn.Module, generator: torch.Generator) -> Batch:
        """Mix every image with one of the same batch: ``w * batch + (1 - w) * batch[order]``.

        Images stay in [0,1] and targets still sum to 1; one weight and one order per batch.

        Source: Zhang, Cisse, Dauphin, Lopez-Paz 2018, equation 1, and their implementation.
        """
        import torch

        weight = self._weight(generator)
        device = batch.images.device
        order = torch.randperm(len(batch.images), generator=generator, device=generator.device).to(
            device
        )
        return Batch(
            torch.lerp(batch.images[order], batch.images, weight),
            torch.lerp(batch.targets[order], batch.targets, weight),
        )

    def _weight(self, generator: torch.Generator) -> float:
        """A draw from Beta(alpha, alpha): torch's own sampler takes no generator."""
        import torch
        from scipy.special import betaincinv

        uniform = torch.rand((), generator=generator, device=generator.device).item()
        return float(betaincinv(self.alpha, self.alpha, uniform))


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("mixup", Mixup, version="1")

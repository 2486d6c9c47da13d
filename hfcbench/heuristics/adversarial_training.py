"""Adversarial training (paper, section 5.1, figure 5, and section 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Batch, Heuristic, Recipe

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class AdversarialTraining(Heuristic):
    """Train on PGD's images of every batch instead of the batch, cropped and flipped at random.

    Attributes:
        epsilon: L-infinity radius in pixel units of [0,1].
        steps: gradient steps for each batch.
        step_share: size of a step as a share of epsilon.
        random_start: begin at a random point of the ball instead of the image.
    """

    epsilon: Annotated[float, Interval(gt=0, le=1)] = 0.03
    steps: Annotated[int, Ge(1)] = 10
    step_share: Annotated[float, Interval(gt=0, le=2)] = 0.1
    random_start: bool = False

    def configure(self, recipe: Recipe) -> Recipe:
        recipe = recipe.claimed("adversarial training", "adversarial-training")
        recipe = recipe.claimed("the augmentation", "adversarial-training")
        return replace(recipe, schedule=replace(recipe.schedule, augmentation="crop-flip"))

    def transform(self, batch: Batch, model: torch.nn.Module, generator: torch.Generator) -> Batch:
        """Adversarial images ``(B,C,H,W)`` in [0,1] for the batch; the targets stay.

        The batch is what the heuristics before this one made of it: behind mix-up, mixed images
        are attacked, by the loss against their mixed targets; before it, the images themselves,
        and what is mixed are the attacked ones. The model answers in evaluation mode meanwhile:
        attacking leaves BatchNorm's averages alone.

        Raises:
            NodeError: the batch is not in [0,1], as components may be.

        Source: Madry et al. 2018, equation 2.1; parameters and augmentation as in the authors'
        code of the paper.
        """
        from hfcbench.adversarial.while_training import paused_training
        from hfcbench.attacks.pgd import PGD

        attack = PGD(self.steps, self.step_share, self.random_start)
        with paused_training(model, batch.images):
            (found,) = attack.perturb(model, batch.images, batch.targets, [self.epsilon], generator)
        return Batch(found, batch.targets)


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("adversarial-training", AdversarialTraining, version="1")

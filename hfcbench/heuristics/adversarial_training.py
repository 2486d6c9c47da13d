"""Adversarial training (paper, section 5.1, figure 5, and section 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.errors import NodeError
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

        The loss that is climbed is the one that is trained on, so mixed targets may be given. The
        model answers in evaluation mode meanwhile: attacking leaves BatchNorm's averages alone.

        Raises:
            NodeError: the batch is not in [0,1], as components may be.

        Source: Madry et al. 2018, equation 2.1; parameters and augmentation as in the authors'
        code of the paper.
        """
        from hfcbench.attacks.pgd import PGD

        if bool((batch.images.amin() < 0) | (batch.images.amax() > 1)):
            raise NodeError(
                "adversarial training needs images in [0,1], and these components are not",
                hint="train on the original, or with --rescaling clip or minmax",
            )
        attack = PGD(self.steps, self.step_share, self.random_start)
        training = model.training
        model.eval()
        (found,) = attack.perturb(model, batch.images, batch.targets, [self.epsilon], generator)
        model.train(training)
        return Batch(found, batch.targets)


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("adversarial-training", AdversarialTraining, version="1")

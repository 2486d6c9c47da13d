"""TRADES: adversarial training whose loss trades accuracy for robustness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Batch, Heuristic, Recipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_START_DEVIATION = 0.001


@dataclass(frozen=True)
class Trades(Heuristic):
    """Train on the cross-entropy plus beta times how far attacked images move the answers.

    Images are cropped and flipped at random first, as in the authors' code.

    Attributes:
        beta: weight of robustness, 1/lambda in the source; 6 is its choice for CIFAR-10, 1 its
            other one, and 0 leaves the cross-entropy alone.
        epsilon: L-infinity radius in pixel units of [0,1].
        steps: gradient steps for each batch.
        step_share: size of a step as a share of epsilon; 0.007 of 0.031 in the authors' code.
    """

    beta: Annotated[float, Ge(0)] = 6.0
    epsilon: Annotated[float, Interval(gt=0, le=1)] = 0.03
    steps: Annotated[int, Ge(1)] = 10
    step_share: Annotated[float, Interval(gt=0, le=2)] = 0.23

    def configure(self, recipe: Recipe) -> Recipe:
        for setting in ("adversarial training", "the loss", "the augmentation"):
            recipe = recipe.claimed(setting, "trades")
        return replace(recipe, schedule=replace(recipe.schedule, augmentation="crop-flip"))

    def loss(self, batch: Batch, model: torch.nn.Module, generator: torch.Generator) -> Tensor:
        """``CE(f(x), y) + beta * KL(f(x) || f(x'))``, means over the batch in nats.

        x' is the attack's answer to x, see :meth:`attacked`; x is whatever other heuristics made
        of the batch, and y may be mixed. Both terms are taken in training mode, in two passes, the
        clean images first: BatchNorm normalises each pass by itself and averages over both, and
        dropout draws anew, so that the divergence also counts what another draw changes. Neither
        x' nor f(x) is held fixed for the other: gradients reach f through both.

        Raises:
            NodeError: the batch is not in [0,1], as components may be.

        Source: Zhang, Yu, Jiao, Xing, El Ghaoui, Jordan 2019, "Theoretically principled trade-off
        between robustness and accuracy", algorithm 1, and the authors' code.

        Deviations: the authors' code passes the clean images twice, once for each term, which
        gives the same loss but where dropout draws, and counts them twice in BatchNorm's averages.
        """
        import torch.nn.functional as F

        attacked = self.attacked(batch.images, model, generator)
        clean = model(batch.images)  # (B,K)
        divergence = F.kl_div(
            model(attacked).log_softmax(1),
            clean.log_softmax(1),
            reduction="batchmean",
            log_target=True,
        )
        return F.cross_entropy(clean, batch.targets) + self.beta * divergence

    def attacked(
        self, images: Tensor, model: torch.nn.Module, generator: torch.Generator
    ) -> Tensor:
        """Images ``(B,C,H,W)`` in [0,1] within epsilon that climb ``KL(f(x) || f(x'))`` by PGD.

        The model answers in evaluation mode. The first step is taken from ``x + 0.001 N(0,1)``, as
        in paper and code: at x itself the divergence is least, and has no gradient to follow.
        """
        import torch

        from hfcbench.adversarial.ball import ball_of
        from hfcbench.adversarial.climbing import last_of_try
        from hfcbench.adversarial.while_training import paused_training
        from hfcbench.attacks.pgd import PGD

        attack = PGD(self.steps, self.step_share)
        with paused_training(model, images):
            with torch.no_grad():
                answers = model(images).softmax(1)
            noise = torch.empty_like(images).normal_(generator=generator)
            ball = ball_of(attack.norm, images, self.epsilon)
            # KL(p || q) is the cross-entropy of q against p less the entropy of p, which does not
            # depend on x': both have the same gradient.
            return last_of_try(attack, model, ball, answers, images + _START_DEVIATION * noise)


@hookimpl
def hfcbench_register_heuristics(register: Register[Heuristic]) -> None:
    register("trades", Trades, version="1")

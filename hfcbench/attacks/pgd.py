"""PGD: many small steps, each projected back into the ball."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Attack

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PGD:
    """Projected gradient steps in the L-infinity ball (Madry et al., 2018).

    Attributes:
        steps: gradient steps for each epsilon.
        step_share: size of a step as a share of epsilon; a tenth is the paper's choice.
        random_start: begin at a uniformly random point of the ball instead of the image.
    """

    steps: Annotated[int, Ge(1)] = 20
    step_share: Annotated[float, Interval(gt=0, le=2)] = 0.1
    random_start: bool = False

    def perturb(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[torch.Tensor]:
        """The images after the last step, for each epsilon on its own.

        One random direction per image serves all epsilons, so that the result at an epsilon does
        not depend on which others are asked for. See :class:`hfcbench.types.Attack`.
        """
        import torch

        from hfcbench.attacks.gradient import check_model

        check_model(model)
        start = torch.zeros_like(images)
        if self.random_start:
            start.uniform_(-1, 1, generator=generator)
        return [self._climb(model, images, labels, epsilon, start) for epsilon in epsilons]

    def _climb(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        epsilon: float,
        start: torch.Tensor,
    ) -> torch.Tensor:
        from hfcbench.attacks.ball import LinfBall
        from hfcbench.attacks.gradient import loss_gradient

        ball = LinfBall(images, epsilon)
        current = ball.project(images + epsilon * start)
        for _ in range(self.steps):
            direction = loss_gradient(model, current, labels).sign_()
            current = ball.project(current + self.step_share * epsilon * direction)
        return current


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("pgd", PGD, version="1")

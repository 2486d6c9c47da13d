"""PGD: many small steps, each projected back into the ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.attack_types import Attack, Norm, SteppedAttack
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball


@dataclass(frozen=True)
class PGD(SteppedAttack):
    """Projected gradient steps in a ball (Madry et al., 2018).

    Attributes:
        steps: gradient steps for each try.
        step_share: size of a step as a share of epsilon; a tenth is the paper's choice.
        random_start: begin at a uniformly random point of the ball instead of the image.
        restarts: tries per image, from the second on at random points.
        norm: of the ball and the steps.
    """

    steps: Annotated[int, Ge(1)] = 20
    step_share: Annotated[float, Interval(gt=0, le=2)] = 0.1
    random_start: bool = False
    restarts: Annotated[int, Ge(1)] = 1
    norm: Norm = "linf"

    def move(
        self, gradient: Tensor, ball: Ball, memory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """A step of its share of epsilon in the steepest direction of the norm."""
        return ball.steepest(gradient).mul_(self.step_share * ball.epsilon), None


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("pgd", PGD, version="1")

"""MI-FGSM: steps along accumulated gradients, whose images fool other models too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.attack_types import Attack, Norm, SteppedAttack
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball


@dataclass(frozen=True)
class MIFGSM(SteppedAttack):
    """The momentum iterative method (Dong et al., 2018, algorithm 1; equation 9 for l2).

    Attributes:
        steps: gradient steps, each of epsilon divided by their number.
        decay: the share of the accumulated gradient that the next step keeps; 0 forgets it.
        norm: of the ball and the steps.
    """

    steps: Annotated[int, Ge(1)] = 10
    decay: Annotated[float, Ge(0)] = 1.0
    norm: Norm = "linf"

    def move(
        self, gradient: Tensor, ball: Ball, memory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """A step along the accumulated gradient, which is the memory.

        Gradients enter with L1 norm 1 per image, so that each step's counts the same.
        """
        from hfcbench.adversarial.gradient import scaled

        latest = scaled(gradient)
        latest /= latest.abs().sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
        accumulated = latest if memory is None else latest.add_(memory, alpha=self.decay)
        return ball.steepest(accumulated).mul_(ball.epsilon / self.steps), accumulated


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("mi-fgsm", MIFGSM, version="1")

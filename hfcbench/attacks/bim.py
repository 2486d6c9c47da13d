"""BIM: small steps of a fixed size, each projected back into the ball."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.attack_types import Attack, SteppedAttack
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball


@dataclass(frozen=True)
class BIM(SteppedAttack):
    """The basic iterative method (Kurakin, Goodfellow, Bengio, 2017): PGD from the image itself.

    Attributes:
        step: by how much a step changes each pixel, in pixel units of [0,1], whatever epsilon is;
            one grey level of 255 in the source.
        steps: gradient steps; 0 takes as many as the source, ``min(n + 4, 1.25 n)`` rounded up,
            where ``n`` is epsilon divided by ``step``. Fewer than ``n`` do not reach the border of
            the ball.
    """

    step: Annotated[float, Interval(gt=0, le=1)] = 1 / 255
    steps: Annotated[int, Ge(0)] = 0

    def steps_at(self, epsilon: float) -> int:
        """``steps``, or as many as the source takes in a ball of this radius."""
        crossing = epsilon / self.step
        # Less a rounding, which must not add a step.
        return self.steps or max(1, math.ceil(min(crossing + 4, 1.25 * crossing) - 1e-6))

    def move(
        self, gradient: Tensor, ball: Ball, memory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """A step of its size along the sign of the gradient."""
        return ball.steepest(gradient).mul_(self.step), None


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("bim", BIM, version="1")

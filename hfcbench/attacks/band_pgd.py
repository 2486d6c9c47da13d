"""PGD confined to a ring of frequencies: does a model break by those that people barely see?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Gt, Interval

from hfcbench import hookimpl
from hfcbench.attack_types import Attack, Norm, SteppedAttack
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball
    from hfcbench.adversarial.ring import Ring


@dataclass(frozen=True)
class BandPGD(SteppedAttack):
    """PGD whose perturbation has only frequencies with ``inner <= distance to DC < outer``.

    Pixels that reach 0 or 1 are cut there, and only that puts energy into other frequencies. On
    ``photo-patches``, at epsilon from 0.03 to 0.09, less than 0.01% of a perturbation's energy
    leaked on average and 0.2% at worst; where no pixel is cut, none but for rounding.

    Source: none for the ring; the steps are PGD's (Madry et al., 2018).

    Attributes:
        inner, outer: radii of the ring in cycles per image, as those of ``fft-band``.
        steps: gradient steps for each try.
        step_share: size of a step as a share of epsilon, larger than that of ``pgd``: a change in
            the ring is that large at its peak only.
        random_start: begin at the ring's part of a uniformly random point of the ball.
        restarts: tries per image, from the second on at random points.
        norm: of the ball and the steps.

    Raises:
        SpecificationError: ``inner >= outer``.
    """

    inner: Annotated[float, Ge(0)]
    outer: Annotated[float, Gt(0)]
    steps: Annotated[int, Ge(1)] = 20
    step_share: Annotated[float, Interval(gt=0, le=2)] = 0.25
    random_start: bool = False
    restarts: Annotated[int, Ge(1)] = 1
    norm: Norm = "linf"
    covers_ball: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.inner >= self.outer:
            raise SpecificationError(
                f"band-pgd needs an inner radius below its outer one, not {self.inner:g} "
                f"and {self.outer:g}"
            )

    def move(
        self, gradient: Tensor, ball: Ball, memory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """A step of its share of epsilon along the gradient's part in the ring.

        Raises:
            NodeError: images of this size have no frequency in the ring.
        """
        from hfcbench.adversarial.gradient import scaled

        ring = self._ring()
        ring.check(gradient)
        direction = ring.steepest(scaled(gradient), self.norm)
        return direction.mul_(self.step_share * ball.epsilon), None

    def confine(self, images: Tensor, ball: Ball) -> Tensor:
        """See :meth:`hfcbench.adversarial.ring.Ring.confine`."""
        return self._ring().confine(images, ball, self.norm)

    def _ring(self) -> Ring:
        from hfcbench.adversarial.ring import Ring

        return Ring(self.inner, self.outer)


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("band-pgd", BandPGD, version="1")

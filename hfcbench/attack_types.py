"""The contract of attacks. Importing this module loads neither torch nor a database."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypeAlias

from hfcbench.types import Precision

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball

Norm: TypeAlias = Literal["linf", "l2"]
"""How far an image was moved: by its largest change of a pixel, or by its Euclidean length."""

Criterion: TypeAlias = Literal["worst-case", "exact", "full"]
"""Which image a score under attack is of.

``worst-case``: the first one that is wrong, at any step and at any smaller epsilon of the search;
``exact``: what a single step gives at exactly this epsilon; ``full``: the image after every step.
"""

AttackMode: TypeAlias = Literal["adaptive", "transfer", "oblivious"]
"""What an attack on a defended model knows.

``adaptive``: everything; it goes through what has no gradient and averages what is random.
``transfer``: only the undefended model, whose adversarial images the defended one is given.
``oblivious``: the defended model, whose gradients it takes as they are.
"""


@dataclass(frozen=True)
class Search:
    """How an attack's images are searched for and judged.

    Attributes:
        precision: of the gradients; verdicts are the model's own.
        smaller_epsilons: ascending, those searched before; what they break is broken. Part of
            ``worst-case`` searches only.
    """

    criterion: Criterion
    mode: AttackMode = "adaptive"
    precision: Precision = "float32"
    smaller_epsilons: tuple[float, ...] = ()


class Attack:
    """A search for images close to the given ones that a model gets wrong.

    Subclasses override :meth:`perturb`; iterated gradient attacks rather extend
    :class:`SteppedAttack`.

    Attributes:
        norm: what an epsilon limits, in pixel units of [0,1]; ``l2`` over all pixels and channels
            of one image.
        exact: whether a score is that of the images found at exactly each epsilon, whatever
            smaller ones found; otherwise an image that was broken once is broken, and attacks are
            only given images that are not.
        needs_gradients: whether the attack looks at gradients, and not at answers alone.
    """

    norm: Norm = "linf"
    exact: ClassVar[bool] = False
    needs_gradients: ClassVar[bool] = True

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """One batch of adversarial images ``(N,C,H,W)`` for each epsilon, in the given order.

        Args:
            model: in evaluation mode, returns logits, takes images in [0,1].
            images: ``(N,C,H,W)`` float32 in [0,1]; not modified.
            labels: ``(N,)`` int64, the true classes.
            epsilons: radii in the attack's norm, in pixel units of [0,1], each >= 0.
            generator: the only source of randomness, on the images' device.

        Guarantees: x' is no further than epsilon from x in the attack's norm, and in [0,1]. The
        images for an epsilon do not depend on which others are asked for.
        """
        raise TypeError(f"{type(self).__name__} does not say how it perturbs images")


class SteppedAttack(Attack):
    """An attack that climbs the loss step by step; the engine owns everything but the step.

    The engine keeps to the ball, restarts, watches which images are broken already, and leaves
    those out. Subclasses are dataclasses with at least ``steps``.

    Attributes:
        steps: gradient steps of each try.
        restarts: tries per image, of which the first starts at the image unless ``random_start``.
        random_start: begin at a random point of the ball instead of the image.
        covers_ball: whether any image of the ball may be found; not so if :meth:`confine` keeps to
            a part of it, which a model may withstand at any epsilon.
    """

    steps: int
    restarts: int = 1
    random_start: bool = False
    covers_ball: ClassVar[bool] = True

    def move(
        self, gradient: Tensor, ball: Ball, memory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The change to the images in one step, before they are put back into the ball.

        Args:
            gradient: of the loss with respect to the images ``(N,C,H,W)``.
            ball: of each image; its ``epsilon`` is the radius.
            memory: what this returned as second value at the step before, ``(N,...)``; None at
                the first step of a try.

        Returns:
            The change ``(N,C,H,W)``, and what to remember, one entry per image, if anything.
        """
        raise TypeError(f"{type(self).__name__} does not say how it steps")

    def steps_at(self, epsilon: float) -> int:
        """How many steps a try takes in a ball of this radius; ``steps`` in any, if not overridden.

        An attack whose step does not grow with epsilon needs more of them to cross a larger ball.
        """
        return self.steps

    def confine(self, images: Tensor, ball: Ball) -> Tensor:
        """The images put back into the ball, or into a part of it that the attack keeps to."""
        return ball.project(images)

    def retry(self, steps: int) -> Self:
        """This attack with so many steps and a single try, from a random point of the ball."""
        other = copy.copy(self)
        # Subclasses may be frozen, and may leave tries and starts to this class: no `replace`.
        for name, value in (("steps", steps), ("restarts", 1), ("random_start", True)):
            object.__setattr__(other, name, value)
        return other

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """Every step for every image and epsilon; of several tries that of the highest loss."""
        from hfcbench.adversarial.climbing import climb_fully

        return climb_fully(self, model, images, labels, epsilons, generator)

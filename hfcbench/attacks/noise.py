"""Noise: what chance alone breaks, beside which an attack is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.attack_types import Attack, Norm
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from hfcbench.adversarial.ball import Ball


@dataclass(frozen=True)
class Noise(Attack):
    """Additive random noise that knows nothing of the model.

    Source: none, it is what attacks are held against.

    Attributes:
        draws: per image; of several the one with the highest loss counts.
        norm: ``linf`` adds uniform noise between -epsilon and epsilon to each pixel, ``l2`` a
            uniformly random direction (that of Gaussian noise) of length epsilon.
    """

    draws: Annotated[int, Ge(1)] = 1
    norm: Norm = "linf"
    exact: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """Noisy images cut to [0,1], at each epsilon the same noise but for its size.

        See :class:`hfcbench.attack_types.Attack`.
        """
        from hfcbench.adversarial.ball import ball_of
        from hfcbench.adversarial.climbing import best_of
        from hfcbench.adversarial.gradient import check_images, check_model

        check_model(model)
        check_images(images)
        state = generator.get_state()
        found = []
        for epsilon in epsilons:
            generator.set_state(state)
            ball = ball_of(self.norm, images, epsilon)
            found.append(
                best_of((self._drawn(ball, generator) for _ in range(self.draws)), model, labels)
            )
        return found

    def _drawn(self, ball: Ball, generator: torch.Generator) -> Tensor:
        if self.norm == "linf":
            return ball.random_point(generator)
        gaussian = ball.images.new_empty(ball.images.shape).normal_(generator=generator)
        return ball.project(ball.images + ball.epsilon * ball.steepest(gaussian))


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("noise", Noise, version="1")

"""FGSM: one step along the sign of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench import hookimpl
from hfcbench.attack_types import Attack
from hfcbench.hookspecs import Register

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class FGSM(Attack):
    """One step of epsilon along the sign of the loss gradient (Goodfellow et al., 2015).

    Accuracy is that of the images at exactly each epsilon, as in the paper: it may rise with
    epsilon, where a longer step overshoots.
    """

    exact: ClassVar[bool] = True

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """``x + epsilon * sign(gradient)`` cut to [0,1], at exactly each epsilon.

        All epsilons share one gradient. See :class:`hfcbench.attack_types.Attack`.
        """
        from hfcbench.adversarial.ball import ball_of
        from hfcbench.adversarial.gradient import check_images, check_model, loss_gradient

        check_model(model)
        check_images(images)
        direction = loss_gradient(model, images, labels).sign()
        return [
            ball_of(self.norm, images, epsilon).project(images + epsilon * direction)
            for epsilon in epsilons
        ]


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("fgsm", FGSM, version="1")

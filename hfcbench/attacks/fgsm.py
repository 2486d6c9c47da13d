"""FGSM: one step along the sign of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Attack

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FGSM:
    """One step of epsilon along the sign of the loss gradient (Goodfellow et al., 2015)."""

    def perturb(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[torch.Tensor]:
        """``x + epsilon * sign(gradient)`` cut to [0,1], at exactly each epsilon.

        All epsilons share one gradient. See :class:`hfcbench.types.Attack`.
        """
        from hfcbench.attacks.ball import LinfBall
        from hfcbench.attacks.gradient import check_model, loss_gradient

        check_model(model)
        direction = loss_gradient(model, images, labels).sign()
        return [
            LinfBall(images, epsilon).project(images + epsilon * direction) for epsilon in epsilons
        ]


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("fgsm", FGSM, version="1")

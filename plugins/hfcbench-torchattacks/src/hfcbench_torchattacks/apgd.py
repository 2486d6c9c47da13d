"""APGD: gradient steps that halve where they stall.

Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks" (2020). Defaults are those of AutoAttack as its authors run it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hfcbench.attack_types import Norm
from hfcbench_torchattacks.settings import (
    LIBRARY_NORMS,
    Count,
    Seed,
    check_authors_code,
    chosen_seed,
)
from hfcbench_torchattacks.wrapped import Wrapped

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class APGDCE(Wrapped):
    """Gradient steps on the cross-entropy that halve where they stall (APGD-CE; Croce, Hein 2020).

    Attributes:
        steps: gradient steps of each try.
        restarts: tries per image, each from a random point.
        norm: of the ball.
        seed: of every search; None draws it from the run's seed.
    """

    loss: ClassVar[str] = "ce"
    classes: ClassVar[int] = 2

    steps: Count = 100
    restarts: Count = 1
    norm: Norm = "linf"
    seed: Seed | None = None

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """``torchattacks.APGD``; the images themselves where nothing was found."""
        import torchattacks

        from hfcbench_torchattacks.searching import need_classes

        need_classes(model, images, self.classes, f"APGD on the loss {self.loss}")
        search = torchattacks.APGD(
            model,
            norm=LIBRARY_NORMS[self.norm],
            eps=epsilon,
            steps=self.steps,
            n_restarts=self.restarts,
            seed=chosen_seed(self.seed, seed),
            loss=self.loss,
        )
        found: Tensor = search(images, labels)
        return found


@dataclass(frozen=True)
class APGDDLR(APGDCE):
    """APGD on the difference-of-logits ratio, which no scale of logits changes (APGD-DLR).

    The loss needs three classes.

    Attributes:
        steps: gradient steps of each try.
        restarts: tries per image, each from a random point.
        norm: of the ball.
        seed: of every search; None draws it from the run's seed.
    """

    loss: ClassVar[str] = "dlr"
    classes: ClassVar[int] = 3


@dataclass(frozen=True)
class APGDTargeted(Wrapped):
    """APGD on the targeted difference-of-logits ratio, towards one wrong class after another.

    The loss needs four classes. In norm l2 the authors' code runs instead of torchattacks', which
    takes the step size of the batch's first image for all of them.

    Attributes:
        steps: gradient steps of each try.
        restarts: tries per image and target, each from a random point.
        targets: at most how many wrong classes, the likeliest first.
        norm: of the ball.
        seed: of every search; None draws it from the run's seed.
    """

    steps: Count = 100
    restarts: Count = 1
    targets: Count = 9
    norm: Norm = "linf"
    seed: Seed | None = None

    def __post_init__(self) -> None:
        check_authors_code("apgd-targeted", self.norm)

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """``torchattacks.APGDT``, or the authors' ``APGDAttack_targeted`` in norm l2.

        The images themselves where nothing was found.
        """
        from hfcbench_torchattacks.searching import need_classes

        classes = need_classes(model, images, 4, "targeted APGD")
        targets = min(self.targets, classes - 1)
        seed = chosen_seed(self.seed, seed)
        if self.norm == "l2":
            return self._by_authors_code(model, images, labels, epsilon, seed, targets)
        import torchattacks

        search = torchattacks.APGDT(
            model,
            norm=LIBRARY_NORMS[self.norm],
            eps=epsilon,
            steps=self.steps,
            n_restarts=self.restarts,
            seed=seed,
            n_classes=targets + 1,
        )
        found: Tensor = search(images, labels)
        return found

    def _by_authors_code(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilon: float,
        seed: int,
        targets: int,
    ) -> Tensor:
        from pyautoattack.autopgd_base import APGDAttack_targeted

        search = APGDAttack_targeted(
            model,
            norm=LIBRARY_NORMS[self.norm],
            eps=epsilon,
            n_iter=self.steps,
            n_restarts=self.restarts,
            seed=seed,
            n_target_classes=targets,
            device=images.device,
            # It warns of vanishing gradients at every target; hfcbench measures them itself.
            logger=logging.Logger(__name__, logging.ERROR),
        )
        found: Tensor = search.perturb(images, labels)
        return found

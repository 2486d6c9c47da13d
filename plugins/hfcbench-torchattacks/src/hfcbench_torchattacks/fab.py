"""FAB: the smallest change that reaches a boundary.

Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack"
(2020). Defaults are those of AutoAttack as its authors run it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.attack_types import Norm
from hfcbench_torchattacks.settings import LIBRARY_NORMS, Count, Seed, chosen_seed
from hfcbench_torchattacks.wrapped import Wrapped

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class FAB(Wrapped):
    """Steps to the nearest linearised boundary, staying near the image (FAB; Croce, Hein 2020).

    As AutoAttack uses it: towards one wrong class after another. It looks for the smallest change
    that reaches the class; what lies further away than epsilon counts as not found.

    Attributes:
        steps: of each try.
        restarts: tries per image and target, from the second on at random points.
        targeted: one wrong class after another; otherwise towards whichever is nearest at each
            step, which takes a backward pass per class.
        targets: at most how many wrong classes, the likeliest first; for targeted searches.
        norm: in which changes are small.
        seed: of every search; None draws it from the run's seed.
    """

    steps: Count = 100
    restarts: Count = 1
    targeted: bool = True
    targets: Count = 9
    norm: Norm = "linf"
    seed: Seed | None = None

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """``torchattacks.FAB``; the images themselves where nothing was found within epsilon."""
        import torchattacks

        from hfcbench_torchattacks.searching import need_classes

        classes = need_classes(model, images, 2, "FAB")
        search = torchattacks.FAB(
            model,
            norm=LIBRARY_NORMS[self.norm],
            eps=epsilon,
            steps=self.steps,
            n_restarts=self.restarts,
            seed=chosen_seed(self.seed, seed),
            multi_targeted=self.targeted,
            n_classes=min(self.targets, classes - 1) + 1,
        )
        found: Tensor = search(images, labels)
        return found

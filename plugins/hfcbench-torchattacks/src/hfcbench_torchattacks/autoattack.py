"""AutoAttack: four attacks in turn.

Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks" (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.attack_types import Norm
from hfcbench_torchattacks.apgd import APGDCE, APGDTargeted
from hfcbench_torchattacks.fab import FAB
from hfcbench_torchattacks.settings import Count, Seed, check_authors_code
from hfcbench_torchattacks.square import Square
from hfcbench_torchattacks.wrapped import Wrapped

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class AutoAttack(Wrapped):
    """AutoAttack, standard version: apgd-ce, apgd-targeted, fab, square (Croce and Hein 2020).

    Each only sees the images that those before left whole. Defaults are what the authors run and
    what is published. ``torchattacks.AutoAttack`` takes 10 steps, rescales the schedule of Square
    and tries all wrong classes: ``autoattack(steps=10, rescale_schedule=true, targets=K-1)`` for K
    classes is that, bit by bit, in norm linf. In norm l2 the parts apgd-targeted and square are the
    authors' code, see there.

    Attributes:
        steps: of both APGDs and of FAB.
        targets: at most how many wrong classes, the likeliest first.
        queries: of Square.
        rescale_schedule: of Square.
        norm: of the ball.
        seed: of every part of every search; None draws it from the run's seed.
    """

    steps: Count = 100
    targets: Count = 9
    queries: Count = 5000
    rescale_schedule: bool = False
    norm: Norm = "linf"
    seed: Seed | None = None

    def __post_init__(self) -> None:
        check_authors_code("autoattack", self.norm)

    @property
    def parts(self) -> tuple[Wrapped, ...]:
        """The attacks in turn; all take the same seed, as in the authors' code."""
        norm, seed = self.norm, self.seed
        return (
            APGDCE(self.steps, norm=norm, seed=seed),
            APGDTargeted(self.steps, targets=self.targets, norm=norm, seed=seed),
            FAB(self.steps, targets=self.targets, norm=norm, seed=seed),
            Square(self.queries, rescale_schedule=self.rescale_schedule, norm=norm, seed=seed),
        )

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """Of each image what the first successful part found; the image where none was."""
        import torch

        from hfcbench_torchattacks.searching import need_classes

        need_classes(model, images, 4, "autoattack")
        found = images.clone()
        whole = torch.arange(len(images), device=images.device)
        for part in self.parts:
            tried = part.find(model, images[whole], labels[whole], epsilon, seed).detach()
            with torch.no_grad():
                wrong = model(tried).argmax(1) != labels[whole]
            found[whole[wrong]] = tried[wrong]
            whole = whole[~wrong]
            if not len(whole):
                break
        return found

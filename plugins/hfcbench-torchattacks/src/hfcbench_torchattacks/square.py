"""Square: random search with squares, without gradients.

Andriushchenko, Croce, Flammarion and Hein, "Square attack: a query-efficient black-box adversarial
attack via random search" (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Interval

from hfcbench.attack_types import Norm
from hfcbench.errors import NodeError
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
class Square(Wrapped):
    """Random search with squares, without gradients (Andriushchenko et al. 2020).

    In norm l2 the authors' code runs instead of torchattacks', which gives each channel of a window
    the length of all channels together, and so finds other images where there are several.

    Attributes:
        queries: of the model per image and try.
        restarts: tries per image.
        first_share: of the image that the first squares cover.
        rescale_schedule: let squares shrink within the given queries; otherwise as if there were
            10,000, as AutoAttack does.
        norm: of the ball.
        seed: of every search; None draws it from the run's seed.
    """

    needs_gradients: ClassVar[bool] = False

    queries: Count = 5000
    restarts: Count = 1
    first_share: Annotated[float, Interval(gt=0, le=1)] = 0.8
    rescale_schedule: bool = True
    norm: Norm = "linf"
    seed: Seed | None = None

    def __post_init__(self) -> None:
        check_authors_code("square", self.norm)

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """``torchattacks.Square``, or the authors' ``SquareAttack`` in norm l2.

        The images themselves where nothing was found.

        Raises:
            NodeError: the first tiles of norm l2 do not fit onto images of this size.
        """
        parameters = {
            "norm": LIBRARY_NORMS[self.norm],
            "eps": epsilon,
            "n_queries": self.queries,
            "n_restarts": self.restarts,
            "p_init": self.first_share,
            "resc_schedule": self.rescale_schedule,
            "seed": chosen_seed(self.seed, seed),
        }
        found: Tensor
        if self.norm == "l2":
            from pyautoattack.square import SquareAttack

            _check_tiles(*images.shape[-2:])
            found = SquareAttack(model, device=images.device, **parameters).perturb(images, labels)
            return found
        import torchattacks

        found = torchattacks.Square(model, **parameters)(images, labels)
        return found


def _check_tiles(height: int, width: int) -> None:
    """Norm l2 starts from a grid of tiles, a fifth of the height each, none of them cut off."""
    tile = height // 5
    margin = (height - 5 * tile) // 2
    fits = tile == 1 or (
        tile > 1 and all(margin + side // tile * tile <= side for side in (height, width))
    )
    if not fits:
        raise NodeError(
            f"square in norm l2 cannot tile images of {height} x {width} pixels, its first step",
            hint="use norm linf, or images of another size",
        )

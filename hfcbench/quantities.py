"""The contract of analyses: measurements of a trained model that are no score per image.

Importing this module loads neither torch nor a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from hfcbench.attack_types import Attack
from hfcbench.types import ImageShape, ImageSplit

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Axis:
    """One axis of a quantity: what its positions mean, e.g. radii in frequency bins."""

    name: str
    unit: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Quantity:
    """Numbers that an analysis found, with what their positions mean.

    Attributes:
        name: lower case, digits and hyphens; unique within its analysis.
        unit: of the values; empty where they have none.
        values: one axis of the array per entry of ``axes``; a single number has no axes. Arrays are
            kept as float32, or as uint8 where they are given so; single numbers as they are.
        low, high: bounds of the 95% interval, like ``values``; None where there is none.
        n: number of images behind each value; 0 where no images were used.

    Raises:
        ValueError: the arrays do not have the shape that the axes say.
    """

    name: str
    unit: str
    values: NDArray[Any]
    axes: tuple[Axis, ...] = ()
    low: NDArray[Any] | None = None
    high: NDArray[Any] | None = None
    n: int = 0

    def __post_init__(self) -> None:
        import numpy as np

        expected = tuple(len(axis.values) for axis in self.axes)
        for what in ("values", "low", "high"):
            given = getattr(self, what)
            if given is not None and np.shape(given) != expected:
                raise ValueError(
                    f"quantity '{self.name}': {what} of shape {np.shape(given)}, "
                    f"but its axes say {expected}"
                )


@dataclass(frozen=True)
class Subject:
    """What is analysed: a model, the images to do it on, and an attack where one is wanted.

    Attributes:
        model: defended already, in evaluation mode, on ``device``; takes ``(N,C,H,W)`` float32 in
            [0,1] and returns logits.
        images: a split, or a part of it.
        seed: of everything random; the same seed gives the same quantities.
        attack: given to analyses that are ``attacked``, None otherwise.
        attack_label: how messages call it.
        epsilon: the attack's L-infinity radius in pixel units of [0,1].
    """

    model: torch.nn.Module
    images: ImageSplit
    device: torch.device
    seed: int = 0
    attack: Attack | None = None
    attack_label: str = "none"
    epsilon: float | None = None


class Analysis(Protocol):
    """A measurement of a trained model whose result is named arrays of numbers.

    Attributes:
        attacked: whether it is about adversarial images, and so runs once per attack and epsilon.
    """

    attacked: ClassVar[bool]

    def check(self, shape: ImageShape) -> None:
        """Raise SpecificationError if there is nothing to measure on such images."""

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """The quantities, in a fixed order.

        Raises:
            NodeError: this model cannot be analysed.
        """

"""The classes of torchattacks that take no epsilon.

What they find further away than epsilon, measured in ``norm``, counts as not found. All other
parameters are the library's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval, Len

from hfcbench.attack_types import Norm
from hfcbench_torchattacks.settings import Count, NotNegative, Positive
from hfcbench_torchattacks.wrapped import LibraryAttack, UnboundedAttack


@dataclass(frozen=True)
class DeepFool(UnboundedAttack):
    """Steps onto the nearest linearised boundary, image by image (Moosavi-Dezfooli et al. 2016)."""

    steps: Count = 50
    overshoot: NotNegative = 0.02
    norm: Norm = "l2"


@dataclass(frozen=True)
class CW(UnboundedAttack):
    """The smallest change in L2 that is wrong, at a fixed weight c (Carlini and Wagner 2017).

    Deviations: the library does not search for c, and pixels of exactly 0 or 1 never move.
    """

    positive_logits: ClassVar[bool] = True

    c: Positive = 1.0
    kappa: NotNegative = 0.0
    steps: Count = 50
    lr: Positive = 0.01
    norm: Norm = "l2"


@dataclass(frozen=True)
class EADEN(UnboundedAttack):
    """The smallest change in L1 and L2 together, elastic net rule (EAD; Chen et al. 2018)."""

    positive_logits: ClassVar[bool] = True

    kappa: NotNegative = 0.0
    lr: Positive = 0.01
    binary_search_steps: Count = 9
    max_iterations: Annotated[int, Ge(10)] = 100
    abort_early: bool = True
    initial_const: Positive = 0.001
    beta: NotNegative = 0.001
    norm: Norm = "l2"


@dataclass(frozen=True)
class EADL1(EADEN):
    """The smallest change in L1, by the elastic net's steps (EAD; Chen et al. 2018)."""


@dataclass(frozen=True)
class SparseFool(UnboundedAttack):
    """Few pixels, changed as far as the linearised boundary asks (Modas et al. 2019)."""

    steps: Count = 10
    lam: Positive = 3.0
    overshoot: NotNegative = 0.02
    norm: Norm = "l2"


@dataclass(frozen=True)
class JSMA(UnboundedAttack):
    """The pair of values that matters most, again and again (Papernot et al. 2016).

    Towards the next class (the first after the last). Takes memory for a table of all pairs of
    values: images of a few thousand are many.

    Attributes:
        theta: what is added to a value; negative values darken.
        gamma: share of values that may be changed.
    """

    theta: Annotated[float, Interval(ge=-1, le=1)] = 1.0
    gamma: Annotated[float, Interval(gt=0, le=1)] = 0.1
    norm: Norm = "l2"

    def prepare(self, made: Any, classes: int) -> None:
        """The library's own next class takes it for granted that there are ten."""
        made.set_mode_targeted_by_function(lambda _, labels: (labels + 1) % classes, quiet=True)


@dataclass(frozen=True)
class OnePixel(UnboundedAttack):
    """One or a few pixels, by differential evolution without gradients (Su et al. 2019)."""

    needs_gradients: ClassVar[bool] = False

    pixels: Count = 1
    steps: Count = 10
    popsize: Count = 10
    inf_batch: Count = 128
    norm: Norm = "l2"


@dataclass(frozen=True)
class Pixle(UnboundedAttack):
    """Pixels moved elsewhere in the image, without gradients (Pomponi et al. 2022).

    Attributes:
        x_dimensions: least and largest width of a patch, in pixels, or as shares of the width.
        y_dimensions: least and largest height of a patch, likewise.
    """

    needs_gradients: ClassVar[bool] = False
    square: ClassVar[bool] = True

    x_dimensions: Annotated[list[int | float], Len(2, 2)] = field(default_factory=lambda: [2, 10])
    y_dimensions: Annotated[list[int | float], Len(2, 2)] = field(default_factory=lambda: [2, 10])
    pixel_mapping: Literal[
        "random", "similarity", "similarity_random", "distance", "distance_random"
    ] = "random"
    restarts: Count = 20
    max_iterations: Count = 10
    update_each_iteration: bool = False
    norm: Norm = "l2"


@dataclass(frozen=True)
class GN(UnboundedAttack):
    """Gaussian noise, which no attack should fall behind."""

    needs_gradients: ClassVar[bool] = False

    std: NotNegative = 0.1
    norm: Norm = "l2"


@dataclass(frozen=True)
class VANILA(UnboundedAttack):
    """The images themselves."""

    needs_gradients: ClassVar[bool] = False

    norm: Norm = "linf"


UNBOUNDED_ATTACKS: tuple[type[LibraryAttack], ...] = (
    DeepFool,
    CW,
    EADEN,
    EADL1,
    SparseFool,
    JSMA,
    OnePixel,
    Pixle,
    GN,
    VANILA,
)

"""The classes of torchattacks whose steps are made for images that fool other models, too.

Step sizes are in pixel units of [0,1], whatever epsilon is, as the library has them. Parameters are
the library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from hfcbench_torchattacks.settings import Count, NotNegative, Positive, Share
from hfcbench_torchattacks.wrapped import LibraryAttack

Smaller = Annotated[float, Interval(gt=0, lt=1)]


@dataclass(frozen=True)
class MIFGSM(LibraryAttack):
    """Steps along a momentum of gradients (MI-FGSM; Dong et al. 2018)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 1.0


@dataclass(frozen=True)
class NIFGSM(LibraryAttack):
    """Momentum whose gradient is taken a step ahead (NI-FGSM; Lin et al. 2020)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 1.0


@dataclass(frozen=True)
class SINIFGSM(LibraryAttack):
    """NI-FGSM with gradients at several scales of the image (SI-NI-FGSM; Lin et al. 2020)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 1.0
    m: Count = 5


@dataclass(frozen=True)
class VMIFGSM(LibraryAttack):
    """MI-FGSM corrected by the variance of gradients nearby (VMI-FGSM; Wang and He 2021)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 1.0
    N: Count = 5
    beta: Positive = 3 / 2


@dataclass(frozen=True)
class VNIFGSM(LibraryAttack):
    """NI-FGSM corrected by the variance of gradients nearby (VNI-FGSM; Wang and He 2021)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 1.0
    N: Count = 5
    beta: Positive = 3 / 2


@dataclass(frozen=True)
class DIFGSM(LibraryAttack):
    """Gradients of randomly shrunken and padded images (DI2-FGSM; Xie et al. 2019)."""

    square: ClassVar[bool] = True

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 0.0
    resize_rate: Smaller = 0.9
    diversity_prob: Share = 0.5
    random_start: bool = False


@dataclass(frozen=True)
class TIFGSM(LibraryAttack):
    """DI2-FGSM with blurred gradients, for colour images (TI-FGSM; Dong et al. 2019)."""

    coloured: ClassVar[bool] = True
    square: ClassVar[bool] = True

    alpha: Positive = 2 / 255
    steps: Count = 10
    decay: NotNegative = 0.0
    kernel_name: Literal["gaussian", "linear", "uniform"] = "gaussian"
    len_kernel: Count = 15
    nsig: Positive = 3.0
    resize_rate: Smaller = 0.9
    diversity_prob: Share = 0.5
    random_start: bool = False


@dataclass(frozen=True)
class PIFGSM(LibraryAttack):
    """Amplified steps whose overflow goes to neighbours, for colour images (Gao et al. 2020)."""

    epsilon_name: ClassVar[str] = "max_epsilon"
    coloured: ClassVar[bool] = True

    num_iter_set: Count = 10
    momentum: NotNegative = 1.0
    amplification: Positive = 10.0
    prob: Share = 0.7


@dataclass(frozen=True)
class PIFGSMPP(LibraryAttack):
    """PI-FGSM with blurred gradients, for colour images (PI-FGSM++; Gao et al. 2020)."""

    epsilon_name: ClassVar[str] = "max_epsilon"
    coloured: ClassVar[bool] = True

    num_iter_set: Count = 10
    momentum: NotNegative = 1.0
    amplification: Positive = 10.0
    prob: Share = 0.7
    project_factor: Positive = 0.8


TRANSFER_ATTACKS: tuple[type[LibraryAttack], ...] = (
    MIFGSM,
    NIFGSM,
    SINIFGSM,
    VMIFGSM,
    VNIFGSM,
    DIFGSM,
    TIFGSM,
    PIFGSM,
    PIFGSMPP,
)

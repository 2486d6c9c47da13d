"""The classes of torchattacks that take steps within a ball of largest pixel changes.

Step sizes are in pixel units of [0,1], whatever epsilon is, as the library has them. Parameters are
the library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hfcbench_torchattacks.settings import Count, NotNegative, Positive
from hfcbench_torchattacks.wrapped import LibraryAttack


@dataclass(frozen=True)
class FGSM(LibraryAttack):
    """One step along the sign of the gradient (Goodfellow et al. 2015); the built-in is fgsm."""

    exact: ClassVar[bool] = True


@dataclass(frozen=True)
class BIM(LibraryAttack):
    """Iterated FGSM from the image itself (Kurakin et al. 2017)."""

    alpha: Positive = 2 / 255
    steps: Count = 10


@dataclass(frozen=True)
class RFGSM(LibraryAttack):
    """A random step of alpha, then FGSM (Tramer et al. 2018)."""

    alpha: Positive = 2 / 255
    steps: Count = 10


@dataclass(frozen=True)
class PGD(LibraryAttack):
    """Projected gradient steps (Madry et al. 2018); the built-in is pgd."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    random_start: bool = True


@dataclass(frozen=True)
class EOTPGD(LibraryAttack):
    """PGD whose gradients are means over several, for random models (Liu et al. 2019)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    eot_iter: Count = 2
    random_start: bool = True


@dataclass(frozen=True)
class FFGSM(LibraryAttack):
    """FGSM from a random point, as in fast adversarial training (Wong et al. 2020)."""

    alpha: Positive = 10 / 255


@dataclass(frozen=True)
class TPGD(LibraryAttack):
    """PGD on the divergence from the clean answer, not from the label (Zhang et al. 2019)."""

    alpha: Positive = 2 / 255
    steps: Count = 10


@dataclass(frozen=True)
class UPGD(LibraryAttack):
    """PGD with momentum, averaged gradients and a choice of losses."""

    positive_logits: ClassVar[bool] = True

    alpha: Positive = 2 / 255
    steps: Count = 10
    random_start: bool = False
    loss: Literal["ce", "dlr", "margin"] = "ce"
    decay: NotNegative = 1.0
    eot_iter: Count = 1

    def least_classes(self) -> int:
        """The difference-of-logits ratio needs three."""
        return 3 if self.loss == "dlr" else 2


@dataclass(frozen=True)
class Jitter(LibraryAttack):
    """PGD on rescaled logits with noise, for diverse and small changes (Schwinn et al. 2021)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    scale: Positive = 10.0
    std: NotNegative = 0.1
    random_start: bool = True


@dataclass(frozen=True)
class PGDRS(LibraryAttack):
    """PGD on answers averaged over noise, for smoothed models (Salman et al. 2019)."""

    alpha: Positive = 2 / 255
    steps: Count = 10
    # The library spells it so.
    noise_type: Literal["guassian", "uniform"] = "guassian"
    noise_sd: NotNegative = 0.5
    noise_batch_size: Count = 5
    batch_max: Count = 2048


@dataclass(frozen=True)
class SPSA(LibraryAttack):
    """Gradients estimated from answers (Uesato et al. 2018).

    The library's default is a single step of lr: raise nb_iter for a search worth its name.
    """

    needs_gradients: ClassVar[bool] = False

    delta: Positive = 0.01
    lr: Positive = 0.01
    nb_iter: Count = 1
    nb_sample: Count = 128
    max_batch_size: Count = 64


LINF_ATTACKS: tuple[type[LibraryAttack], ...] = (
    FGSM,
    BIM,
    RFGSM,
    PGD,
    EOTPGD,
    FFGSM,
    TPGD,
    UPGD,
    Jitter,
    PGDRS,
    SPSA,
)

"""The classes of torchattacks that take steps within a Euclidean ball.

Step sizes are in pixel units of [0,1], whatever epsilon is, as the library has them. Parameters are
the library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hfcbench_torchattacks.settings import Count, NotNegative, Positive
from hfcbench_torchattacks.wrapped import L2Attack, LibraryAttack


@dataclass(frozen=True)
class PGDL2(L2Attack):
    """Projected gradient steps (Madry et al. 2018); the built-in is pgd(norm=l2)."""

    alpha: Positive = 0.2
    steps: Count = 10
    random_start: bool = True
    eps_for_division: Positive = 1e-10


@dataclass(frozen=True)
class PGDRSL2(L2Attack):
    """PGD on answers averaged over noise, for smoothed models (Salman et al. 2019)."""

    alpha: Positive = 0.2
    steps: Count = 10
    # The library spells it so.
    noise_type: Literal["guassian", "uniform"] = "guassian"
    noise_sd: NotNegative = 0.5
    noise_batch_size: Count = 5
    batch_max: Count = 2048
    eps_for_division: Positive = 1e-10


L2_ATTACKS: tuple[type[LibraryAttack], ...] = (PGDL2, PGDRSL2)

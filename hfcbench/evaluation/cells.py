"""One evaluation of one trained model, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass

from hfcbench.attack_types import Attack, Search
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.reliability_checks import Check
from hfcbench.types import Defence, Predictions

UNSEARCHED = Search("full")
"""Every step for every image."""


@dataclass(frozen=True)
class Cell:
    """A condition: image -> attack on the defended model -> component -> defended model.

    Attributes:
        key: unique among the cells of one call.
        defence_key: cells with equal keys share one defended model.
        attack_key: cells with equal keys, defences and searches share the attack's computation.
        epsilon: the attack's radius in pixel units of [0,1]; None without an attack.
        samples: use that many images of the split, as :meth:`ImageSplit.choice` takes them; None
            uses all.
        search: how the attack's images are searched for.

    Raises:
        ValueError: an attack without an epsilon.
    """

    key: str
    component: Component = ORIGINAL
    defence: Defence | None = None
    defence_key: str = "none"
    attack: Attack | None = None
    attack_key: str = "none"
    epsilon: float | None = None
    samples: int | None = None
    search: Search = UNSEARCHED

    def __post_init__(self) -> None:
        if self.attack is not None and self.epsilon is None:
            raise ValueError(f"attack '{self.attack_key}' was given no epsilon")


@dataclass(frozen=True)
class CellResult:
    """What a cell has found.

    Attributes:
        checks: how far a score under attack is to be trusted; empty without an attack.
    """

    predictions: Predictions
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class CellFailure:
    """Why a cell has no predictions."""

    error: Exception
    traceback: str

"""One evaluation of one trained model, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass

from hfcbench.attack_types import Attack
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.types import Defence


@dataclass(frozen=True)
class Cell:
    """A condition: image -> attack on the defended model -> component -> defended model.

    Attributes:
        key: unique among the cells of one call.
        defence_key: cells with equal keys share one defended model.
        attack_key: cells with equal keys, and equal defences, share the attack's computation.
        epsilon: the attack's radius in pixel units of [0,1]; None without an attack.
        samples: use that many images of the split, as :meth:`ImageSplit.choice` takes them; None
            uses all.
    """

    key: str
    component: Component = ORIGINAL
    defence: Defence | None = None
    defence_key: str = "none"
    attack: Attack | None = None
    attack_key: str = "none"
    epsilon: float | None = None
    samples: int | None = None


@dataclass(frozen=True)
class CellFailure:
    """Why a cell has no predictions."""

    error: Exception
    traceback: str

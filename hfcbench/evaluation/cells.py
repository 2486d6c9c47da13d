"""One evaluation of one trained model, and how it can fail."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hfcbench.attack_types import Attack, Search
from hfcbench.detection_types import Detections
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


Answers = TypeVar("Answers", Predictions, Detections)


@dataclass(frozen=True)
class CellResult(Generic[Answers]):
    """What a cell has found.

    Attributes:
        predictions: of a classifier, or what a detector found.
        checks: how far a score under attack is to be trusted; empty without an attack.
    """

    predictions: Answers
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class CellFailure:
    """Why a cell has no predictions."""

    error: Exception
    traceback: str


@dataclass
class Failures:
    """Which cells of an evaluation have failed, by key; the first error of each counts."""

    by_key: dict[str, CellFailure] = field(default_factory=dict)

    def __contains__(self, cell: Cell) -> bool:
        return cell.key in self.by_key

    @contextmanager
    def of(self, cells: Sequence[Cell]) -> Iterator[None]:
        """Turn an error into a failure of these cells: others must not be lost with them."""
        try:
            yield
        except Exception as error:
            failure = CellFailure(error, traceback.format_exc())
            # Its frames would keep their tensors on the device as long as the failure is known.
            traceback.clear_frames(error.__traceback__)
            for cell in cells:
                self.by_key.setdefault(cell.key, failure)

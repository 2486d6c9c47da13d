"""Accuracy against robust accuracy of every model, and which models none beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection

from hfcbench.errors import UsageError
from hfcbench.results.queries import facts
from hfcbench.results.queries.attack_sets import faced_alike
from hfcbench.results.queries.conditions import (
    KnownCondition,
    known_conditions,
    main_cut,
    middle,
    strength,
)
from hfcbench.results.queries.faced_attacks import in_ball, reaches
from hfcbench.results.queries.leaderboard import LeftOut
from hfcbench.results.queries.tradeoff_fronts import over_seeds, with_fronts
from hfcbench.results.queries.tradeoff_rows import model_rows
from hfcbench.results.queries.where import Filter

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("group", "dataset", "fingerprint", "scale", "split", "procedure", "n", "n_attacked"),
    *("model", "heuristics", "trained_on", "defence", "seed", "rows"),
    *("clean", "clean_low", "clean_high"),
    *("component", "decomposition", "rescaling", "lfc", "lfc_low", "lfc_high"),
    *("epsilon", "robust", "robust_low", "robust_high", "gap"),
    *("front", "three_way_front", "attacked_by", "flags", "defence_version", "training"),
)
_FINGERPRINT_DIGITS = 12


@dataclass(frozen=True)
class Question:
    """What is asked for; see :meth:`hfcbench.results.store.Store.tradeoff`."""

    epsilon: float | None
    cutoff: float | None
    group: Literal["configuration"] | None


@dataclass(frozen=True)
class Tradeoff:
    """Accuracy against robust accuracy.

    Attributes:
        frame: see :meth:`hfcbench.results.store.Store.tradeoff`.
        epsilon: radius of the L-infinity ball, in pixel units of [0,1]; None without attacks.
        low: what the accuracy on LFCs is of; None where there are no LFCs.
        left_out: which models are not in the frame, and why.
    """

    frame: pd.DataFrame
    epsilon: float | None
    low: KnownCondition | None
    left_out: tuple[LeftOut, ...]


def tradeoff(connection: Connection, question: Question, where: Filter) -> Tradeoff:
    """Answer a question.

    Raises:
        UsageError: there are no attacks of that epsilon, or no LFCs of that cutoff.
    """
    allowed = facts.condition_ids_where(connection, where.clause())
    known = [item for item in known_conditions(connection) if item.condition_id in allowed]
    attacks = [item for item in known if item.is_attacked and item.cut is None]
    epsilon = _epsilon(attacks, question.epsilon)
    low = _low(known, question.cutoff)
    within = [item for item in attacks if epsilon is not None and in_ball(item, epsilon)]
    originals = [item for item in known if item.is_original]
    wanted = {item.condition_id: item for item in (*originals, *low, *within)}
    rows, left_out = model_rows(connection, where, wanted, epsilon)
    rows = rows.assign(
        faced=faced_alike(rows, within),
        epsilon=epsilon,
        component=low[0].component if low else None,
        decomposition=low[0].decomposition if low else None,
        rescaling=low[0].rescaling if low else None,
    )
    if question.group is not None:
        rows = over_seeds(rows)
    rows = with_fronts(rows)
    frame = rows[[name for name in COLUMNS if name in rows]]
    frame = frame.assign(fingerprint=frame["fingerprint"].str[:_FINGERPRINT_DIGITS])
    reasons = [LeftOut(count, what) for what, count in left_out.items()]
    return Tradeoff(frame, epsilon, low[0] if low else None, tuple(reasons))


def _epsilon(attacks: Sequence[KnownCondition], asked: float | None) -> float | None:
    """The radius of the ball: one that attacks reach the edge of, the smallest by default."""
    there = sorted(
        {item.epsilon for item in attacks if item.epsilon and reaches(item, item.epsilon)}
    )
    if asked is None:
        return there[0] if there else None
    if not any(reaches(item, asked) for item in attacks):
        names = ", ".join(map(strength, there)) or "none"
        raise UsageError(
            f"there are no rows for epsilon {strength(asked)} in the L-infinity norm; "
            f"there are: {names}"
        )
    return asked


def _low(known: Sequence[KnownCondition], cutoff: float | None) -> list[KnownCondition]:
    """The clean LFCs of one cut, that which is most frequent, at one cutoff, the middle one."""
    items = [item for item in known if item.part == "lfc" and not item.is_attacked]
    cuts = [item.cut for item in items if item.cut is not None]
    cut = main_cut({cut: cuts.count(cut) for cut in cuts})
    items = [item for item in items if item.cut == cut]
    there = sorted({item.cutoff for item in items if item.cutoff is not None})
    chosen = middle(there) if cutoff is None else cutoff
    if cutoff is not None and cutoff not in there:
        names = ", ".join(f"{value:g}" for value in there) or "none"
        raise UsageError(f"there are no LFCs of radius {cutoff:g}; there are: {names}")
    return [item for item in items if item.cutoff == chosen]

"""The gap of each row of a leaderboard: what is lost without high frequencies, and how surely."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from hfcbench.reports.claims.estimates import answered

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.leaderboard import Leaderboard
    from hfcbench.results.store import Store

    Pair: TypeAlias = tuple[str, str]

_ROW = ("training", "defence", "defence_version", "split", "procedure", "n")
_AT_ONCE = 100
_NORMAL_95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


def low_frequencies(board: Leaderboard) -> str | None:
    """The column that the gap is to: the first component; None where there is none."""
    parts = (name for name, item in board.conditions.items() if item.cut and not item.is_attacked)
    return next(parts, None)


def with_gaps(store: Store, board: Leaderboard) -> pd.DataFrame:
    """The leaderboard's frame with the columns ``gap``, ``gap_low`` and ``gap_high``.

    The interval is of the difference of two scores of the same images, from the single answers:
    images that are right or wrong in both say nothing about it. It is NaN where those are not
    stored, and for detectors, whose scores are no means over images.
    """
    frame = board.frame.copy()
    nothing = float("nan")
    low = low_frequencies(board)
    frame["gap"] = nothing if low is None else frame["original"] - frame[low]
    frame["gap_low"] = frame["gap_high"] = nothing
    if low is None or board.metric != "top1" or frame.empty:
        return frame
    pairs = _pairs(store, board, low)
    places = {place: pairs[key] for place, key in enumerate(_keys(frame)) if key in pairs}
    found = _reaches(store, places)
    reach = [found.get(place, nothing) for place in range(len(frame))]
    return frame.assign(gap_low=frame["gap"] - reach, gap_high=frame["gap"] + reach)


def _pairs(store: Store, board: Leaderboard, low: str) -> dict[tuple[Any, ...], Pair]:
    """The evaluations on originals and on the component, by row."""
    condition = board.conditions[low]
    scores = store.evaluations(
        metric=board.metric,
        trainings=sorted(set(board.frame["training"])),
        component=["original", condition.component],
        decomposition=condition.decomposition,
        rescaling=condition.rescaling,
        attack="none",
        limit=None,
    )
    # Of equal conditions the one stored last counts, as in the leaderboard.
    found: dict[str, dict[tuple[Any, ...], str]] = {"original": {}, condition.component: {}}
    for key, record in zip(_keys(scores), scores.to_dict("records"), strict=True):
        if record["component"] == "original" or (
            record["decomposition_version"] == condition.decomposition_version
        ):
            found[record["component"]][key] = record["evaluation"]
    originals, parts = found["original"], found[condition.component]
    return {key: (originals[key], parts[key]) for key in originals if key in parts}


def _keys(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """What tells rows apart, with None for what is missing."""
    columns = frame[list(_ROW)].astype(object)
    return list(columns.where(columns.notna(), None).itertuples(index=False, name=None))


def _reaches(store: Store, places: Mapping[int, Pair]) -> dict[int, float]:
    """Half the width of the interval of each difference whose answers are stored."""
    found = {}
    pairs = list(places.items())
    # Some at a time: the answers of all rows may not fit into memory.
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        answers = store.answers([identity for _, pair in some for identity in pair])
        for place, (original, part) in some:
            if original in answers and part in answers:
                gap = answered(answers[original]) - answered(answers[part])
                found[place] = _NORMAL_95 * math.sqrt(gap.variance)
    return found

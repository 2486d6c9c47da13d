"""Choosing and formatting the leaderboard's columns for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Row = list[Any]

_NAMES = ("dataset", "model", "heuristics", "trained_on", "defence", "seed")
_INTERVAL = ("original_low", "original_high")
_COMPONENT = re.compile(r"(?P<part>[a-z]+)@(?P<cutoff>[\d.]+)")
_ATTACK = re.compile(r"(?P<attack>.+)@(?P<epsilon>[\d.e-]+)")


def compact(
    frame: pd.DataFrame, *, cutoff: float | None = None, epsilon: float | None = None
) -> tuple[list[str], list[Row]]:
    """The columns that answer the main question: original, LFC, HFC, the gap and robustness.

    Args:
        frame: from :meth:`hfcbench.results.store.Store.leaderboard`.
        cutoff: the radius or rank to show; by default the middle one that the frame has.
        epsilon: the attack strength to show; by default the smallest.

    Raises:
        UsageError: the frame has no such cutoff or epsilon.
    """
    shown = ["rank", *_varying(frame)]
    columns = [str(column) for column in frame.columns]
    components = [column for column in columns if _is_component(column)]
    attacks = [column for column in columns if column not in components and "@" in column]
    picked = _pick(components, _cutoff, cutoff, "radius", middle=True)
    attacked = _pick(attacks, _epsilon, epsilon, "epsilon", middle=False)
    rows = []
    for record in frame.to_dict("records"):
        row: Row = [_rank(record["rank"]), *(record[name] for name in shown[1:])]
        row.append(_with_interval(record))
        row.extend(_number(record[column]) for column in picked)
        if picked:
            row.append(_number(record["original"] - record[picked[0]]))
        row.extend(_number(record[column]) for column in attacked)
        rows.append(row)
    gap = [f"gap to {picked[0]}"] if picked else []
    return [*shown, "original [95% CI]", *picked, *gap, *attacked], rows


def wide(frame: pd.DataFrame) -> tuple[list[str], list[Row]]:
    """Every column of the frame."""
    columns = [str(column) for column in frame.columns]
    rows = [[_plain(record[column]) for column in columns] for record in frame.to_dict("records")]
    return columns, rows


def _varying(frame: pd.DataFrame) -> list[str]:
    """Names that tell rows apart; model, heuristics and defence are always shown."""
    always = ("model", "heuristics", "defence")
    return [name for name in _NAMES if name in always or frame[name].nunique(dropna=False) > 1]


def _is_component(column: str) -> bool:
    match = _COMPONENT.fullmatch(column)
    return match is not None and match["part"] in ("lfc", "hfc", "band", "rest")


def _cutoff(column: str) -> float:
    match = _COMPONENT.fullmatch(column)
    return float(match["cutoff"]) if match else float("nan")


def _epsilon(column: str) -> float:
    match = _ATTACK.fullmatch(column)
    return float(match["epsilon"]) if match else float("nan")


def _pick(
    columns: Sequence[str], value_of: Any, wanted: float | None, what: str, *, middle: bool
) -> list[str]:
    values = sorted({value_of(column) for column in columns})
    if wanted is not None and wanted not in values:
        known = ", ".join(f"{value:g}" for value in values) or "none"
        raise UsageError(f"there are no rows for {what} {wanted:g}; there are {known}")
    if not values:
        return []
    default = values[(len(values) - 1) // 2] if middle else values[0]
    chosen = default if wanted is None else wanted
    return [column for column in columns if value_of(column) == chosen]


def _with_interval(record: dict[Any, Any]) -> str:
    low, high = (record[name] for name in _INTERVAL)
    return f"{_number(record['original'])} [{_number(low)}, {_number(high)}]"


def _number(value: Any) -> str:
    return "" if value is None or value != value else f"{value:.3f}"


def _rank(value: Any) -> str:
    return "" if value is None or value != value else str(int(value))


def _plain(value: Any) -> Any:
    return None if value != value else value

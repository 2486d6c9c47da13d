"""Choosing and formatting the leaderboard's columns for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Row = list[Any]

_NAMES = (
    "dataset",
    "fingerprint",
    "split",
    "n",
    "decomposition",
    "rescaling",
    "model",
    "heuristics",
    "trained_on",
    "defence",
    "seed",
    "epochs",
)
_INTERVAL = ("original_low", "original_high")
_COMPONENT = re.compile(r"(lfc|hfc|band|rest)@(?:[\d.]+-)?(?P<cutoff>[\d.]+)")
_ATTACK = re.compile(r".+@(?P<epsilon>[\d.e-]+)")


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
    names = _varying(frame)
    columns = [str(column) for column in frame.columns]
    components = [column for column in columns if _COMPONENT.fullmatch(column)]
    attacks = [column for column in columns if column not in components and "@" in column]
    picked = _pick(components, _COMPONENT, "cutoff", cutoff, "radius", middle=True)
    attacked = _pick(attacks, _ATTACK, "epsilon", epsilon, "epsilon", middle=False)
    with_interval = set(_INTERVAL) <= set(columns)
    rows = []
    for record in frame.to_dict("records"):
        row: Row = [_rank(record["rank"]), *(_plain(record[name]) for name in names)]
        row.append(_with_interval(record) if with_interval else _number(record["original"]))
        row.extend(_number(record[column]) for column in picked)
        if picked:
            row.append(_number(record["original"] - record[picked[0]]))
        row.extend(_number(record[column]) for column in attacked)
        rows.append(row)
    original = "original [95% CI]" if with_interval else "original"
    gap = [f"original - {picked[0]}"] if picked else []
    return ["rank", *names, original, *picked, *gap, *attacked], rows


def without_constants(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without names that are the same in every row, versions and identities."""
    columns = [str(column) for column in frame.columns]
    hidden = [name for name in columns if name.endswith("_version") or name == "training"]
    shown = _varying(frame)
    hidden += [name for name in columns if name in _NAMES and name not in shown]
    return frame.drop(columns=hidden)


def wide(frame: pd.DataFrame) -> tuple[list[str], list[Row]]:
    """Every column of the frame."""
    columns = [str(column) for column in frame.columns]
    rows = [[_plain(record[column]) for column in columns] for record in frame.to_dict("records")]
    return columns, rows


def _varying(frame: pd.DataFrame) -> list[str]:
    """Names that tell rows apart; model, heuristics and defence are shown in any case."""
    always = {"model", "heuristics", "defence"}
    return [
        name
        for name in _NAMES
        if name in frame.columns and (name in always or frame[name].nunique(dropna=False) > 1)
    ]


def _pick(
    columns: Sequence[str],
    pattern: re.Pattern[str],
    part: str,
    wanted: float | None,
    what: str,
    *,
    middle: bool,
) -> list[str]:
    """The columns whose number is the wanted one."""
    numbers = {
        column: float(match[part]) for column in columns if (match := pattern.fullmatch(column))
    }
    values = sorted(set(numbers.values()))
    if wanted is not None and wanted not in values:
        known = ", ".join(f"{value:g}" for value in values) or "none"
        raise UsageError(f"there are no rows for {what} {wanted:g}; there are: {known}")
    if not values:
        return []
    default = values[(len(values) - 1) // 2] if middle else values[0]
    chosen = default if wanted is None else wanted
    return [column for column, number in numbers.items() if number == chosen]


def _with_interval(record: dict[Any, Any]) -> str:
    low, high = (record[name] for name in _INTERVAL)
    return f"{_number(record['original'])} [{_number(low)}, {_number(high)}]"


def _number(value: Any) -> str:
    value = _plain(value)
    return "" if value is None else f"{value:.3f}"


def _rank(value: Any) -> str:
    value = _plain(value)
    return "" if value is None else str(int(value))


def _plain(value: Any) -> Any:
    """A value without pandas' ways of saying that there is none."""
    import pandas as pd

    return None if pd.isna(value) else value

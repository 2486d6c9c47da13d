"""Choosing and formatting the leaderboard's columns for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hfcbench.reliability_checks import ADVICE
from hfcbench.results.queries.naming import NAMES, SECTION

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.conditions import KnownCondition
    from hfcbench.results.queries.leaderboard import Leaderboard

Row = list[Any]

_NAMES = (*SECTION, *NAMES, "rows")
_INTERVAL = ("original_low", "original_high")
_ID_DIGITS = 8


def compact(board: Leaderboard) -> tuple[list[str], list[Row]]:
    """The columns that answer the main question: original, LFC, HFC, the gap and robustness.

    Args:
        board: from :meth:`hfcbench.results.store.Store.leaderboard` with ``columns="main"``.
    """
    frame, conditions = board.frame, board.conditions
    names = _varying(frame)
    parts = [name for name, item in conditions.items() if item.cut and not item.is_attacked]
    attacks = [name for name, item in conditions.items() if item.is_attacked and not item.cut]
    grouped = "rows" in frame.columns
    doubted = bool(board.flags)
    rows = []
    for record in frame.to_dict("records"):
        row: Row = [_rank(record), *(_plain(record[name]) for name in names)]
        row.append(_with_spread(record, "original") if grouped else _with_interval(record))
        row.extend(_with_spread(record, name) for name in parts)
        if parts:
            row.append(_number(record["original"] - record[parts[0]]))
        row.extend(_with_spread(record, name) for name in attacks)
        if doubted:
            row.append(record["flags"])
        row.append(_id(record["training"]))
        rows.append(row)
    original = "original" if grouped else "original [95% CI]"
    gap = [f"original - {parts[0]}"] if parts else []
    flags = ["flags"] if doubted else []
    return ["rank", *names, original, *parts, *gap, *attacks, *flags, "id"], rows


def notes(board: Leaderboard) -> list[str]:
    """What a reader must know beside the rows: how images were cut, and what is not shown."""
    cuts = list(dict.fromkeys(_cut(item) for item in board.conditions.values() if item.cut))
    lines = [f"components: {'; '.join(cuts)}"] if cuts else []
    if "rows" in board.frame.columns and len(board.frame):
        lines.append("means ± standard deviation over so many rows")
    lines += [f"flag {name}: {ADVICE[name]}" for name in board.flags if name in ADVICE]
    return [*lines, *(f"left out: {item}" for item in board.left_out)]


def without_constants(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without names that are the same in every row, and versions."""
    columns = [str(column) for column in frame.columns]
    hidden = [name for name in columns if name.endswith("_version")]
    shown = _varying(frame)
    hidden += [name for name in columns if name in _NAMES and name not in shown]
    short = frame["training"].map(_id)
    return frame.drop(columns=[*hidden, "training"]).assign(id=short)


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


def _cut(condition: KnownCondition) -> str:
    return (
        f"{condition.decomposition} (version {condition.decomposition_version}), "
        f"rescaling {condition.rescaling}"
    )


def _with_interval(record: dict[Any, Any]) -> str:
    low, high = (record[name] for name in _INTERVAL)
    return f"{_number(record['original'])} [{_number(low)}, {_number(high)}]"


def _with_spread(record: dict[Any, Any], name: str) -> str:
    deviation = _number(record.get(f"{name} sd", float("nan")))
    return f"{_number(record[name])} ± {deviation}" if deviation else _number(record[name])


def _number(value: Any) -> str:
    value = _plain(value)
    return "" if value is None else f"{value:.3f}"


def _rank(record: dict[Any, Any]) -> str:
    """``3``, or ``3 [2-5]`` where it is known between which ranks the row lies."""
    rank, low, high = (_plain(record.get(name)) for name in ("rank", "rank_low", "rank_high"))
    if rank is None:
        return ""
    return str(int(rank)) if low is None else f"{int(rank)} [{int(low)}-{int(high)}]"


def _id(identity: Any) -> str:
    """Enough of a training's identity to name it to other commands."""
    return str(identity)[:_ID_DIGITS] if len(str(identity)) > 1 else ""


def _plain(value: Any) -> Any:
    """A value without pandas' ways of saying that there is none."""
    import pandas as pd

    return None if value is None or pd.isna(value) else value

"""Choosing and formatting the leaderboard's columns for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.cli.frames import (
    Row,
    advice,
    cut_name,
    known,
    number,
    short_id,
    short_models,
    shortened,
    varying,
    with_interval,
)
from hfcbench.results.queries.naming import NAMES, SECTION

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.leaderboard import Leaderboard

_NAMES = (*SECTION, *NAMES, "rows")
_ACCURACY = "top1"
_TELLING = ("dataset", "defence", "heuristics", "seed")
"""What tells most rows apart, beside the model."""


def compact(board: Leaderboard) -> tuple[list[str], list[Row]]:
    """The columns that answer the main question: original, LFC, HFC, the gap and robustness.

    Args:
        board: from :meth:`hfcbench.results.store.Store.leaderboard` with ``columns="main"``.
    """
    frame, conditions = board.frame, board.conditions
    names = varying(frame, _NAMES)
    parts = [name for name, item in conditions.items() if item.cut and not item.is_attacked]
    attacks = [name for name, item in conditions.items() if item.is_attacked and not item.cut]
    grouped = "rows" in frame.columns
    doubted = bool(board.flags)
    shown = _with_spread if grouped else with_interval
    rows = []
    models = short_models(frame)
    for record in frame.to_dict("records"):
        record["model"] = models.get(str(record.get("model")), record.get("model"))
        row: Row = [_rank(record), *(known(record[name]) for name in names)]
        row.append(shown(record, "original"))
        row.extend(_with_spread(record, name) for name in parts)
        if parts:
            row.append(number(record["original"] - record[parts[0]]))
        row.extend(_with_spread(record, name) for name in attacks)
        if doubted:
            row.append(record["flags"])
        row.append(short_id(record["training"]))
        rows.append(row)
    original = "original" if grouped else "original [95% CI]"
    gap = [f"original - {parts[0]}"] if parts else []
    flags = ["flags"] if doubted else []
    return ["rank", *names, original, *parts, *gap, *attacks, *flags, "id"], rows


def least_important(board: Leaderboard) -> list[str]:
    """Columns of :func:`compact` that a narrow terminal can do without, the least needed first.

    Rank, model, original, the gap and the id, which leads to all the rest, are not among them.
    """
    conditions = board.conditions.items()
    parts = [name for name, item in conditions if item.cut and not item.is_attacked]
    attacks = [name for name, item in conditions if item.is_attacked and not item.cut]
    names = [name for name in _NAMES if name not in ("model", *_TELLING)]
    return [*names, *attacks[1:], *parts[1:], *attacks[:1], "flags", *reversed(_TELLING), *parts]


def notes(board: Leaderboard) -> list[str]:
    """What a reader must know beside the rows: how images were cut, and what is not shown."""
    cuts = list(dict.fromkeys(cut_name(item) for item in board.conditions.values() if item.cut))
    lines = [] if board.metric == _ACCURACY else [f"scores: {board.metric}"]
    lines += shortened(board.frame)
    lines += [f"components: {'; '.join(cuts)}"] if cuts else []
    if "rows" in board.frame.columns and len(board.frame):
        lines.append("means ± standard deviation over so many rows")
    return [*lines, *advice(board.flags), *(f"left out: {item}" for item in board.left_out)]


def together(boards: Sequence[Leaderboard]) -> pd.DataFrame:
    """The frames of all leaderboards, whose metric is a column where there are several."""
    import pandas as pd

    if len(boards) == 1:
        return boards[0].frame
    frames = []
    for board in boards:
        frame = board.frame.copy()
        frame.insert(0, "metric", board.metric)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def without_constants(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without names that are the same in every row, and versions."""
    columns = [str(column) for column in frame.columns]
    hidden = [name for name in columns if name.endswith("_version")]
    shown = varying(frame, _NAMES)
    hidden += [name for name in columns if name in _NAMES and name not in shown]
    short = frame["training"].map(short_id)
    return frame.drop(columns=[*hidden, "training"]).assign(id=short)


def _with_spread(record: dict[Any, Any], name: str) -> str:
    deviation = number(record.get(f"{name} sd", float("nan")))
    return f"{number(record[name])} ± {deviation}" if deviation else number(record[name])


def _rank(record: dict[Any, Any]) -> str:
    """``3``, or ``3 [2-5]`` where it is known between which ranks the row lies."""
    rank, low, high = (known(record.get(name)) for name in ("rank", "rank_low", "rank_high"))
    if rank is None:
        return ""
    return str(int(rank)) if low is None else f"{int(rank)} [{int(low)}-{int(high)}]"

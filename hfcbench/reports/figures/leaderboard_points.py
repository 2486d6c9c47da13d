"""From a leaderboard to what its picture shows: points with 95% intervals, names, sections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.references import short_labels
from hfcbench.reports.figures.estimates import wilson_bounds
from hfcbench.results.queries.naming import SECTION
from hfcbench.results.statistics.intervals import half_width

if TYPE_CHECKING:
    from pandas import DataFrame

    from hfcbench.results.queries.leaderboard import Leaderboard

ORIGINAL, LOW, HIGH, ROBUST = "original", "low", "high", "robust"
_PROPORTION = "top1"
_UNSAID = {"heuristics": "vanilla", "trained_on": "original", "defence": "none"}


@dataclass(frozen=True)
class Point:
    """A score with its 95% interval; NaN where there is none.

    Attributes:
        doubted: whether a reliability check of it is flagged.
    """

    value: float
    low: float
    high: float
    doubted: bool = False


@dataclass(frozen=True)
class BoardRow:
    """A row of the picture.

    Attributes:
        rank: None of a row that has none.
        points: by what they are of: ``original``, ``low``, ``high`` or ``robust``.
    """

    rank: int | None
    name: str
    more: str
    points: Mapping[str, Point]


@dataclass(frozen=True)
class BoardSection:
    """Rows that compare with each other.

    Attributes:
        images, attacked: how many images the scores are over; 0 attacked where none was.
        epochs: fewest and most.
        seeds: fewest and most behind a row.
    """

    dataset: str
    scale: str
    images: int
    attacked: int
    epochs: tuple[int, int]
    seeds: tuple[int, int]
    rows: tuple[BoardRow, ...]


def part_names(board: Leaderboard) -> dict[str, str]:
    """The columns of the picture's LFC and HFC, by ``low`` and ``high``; without what is not."""
    clean = {name: item for name, item in board.conditions.items() if not item.is_attacked}
    found: dict[str, str] = {}
    for kind, part in ((LOW, "lfc"), (HIGH, "hfc")):
        names = [name for name, item in clean.items() if item.part == part]
        found |= {kind: names[0]} if names else {}
    return found


def sections(board: Leaderboard) -> list[BoardSection]:
    """The sections of a leaderboard that has the main columns, in its order."""
    return [_section(board, part) for _, part in board.frame.groupby(list(SECTION), sort=False)]


def _section(board: Leaderboard, frame: DataFrame) -> BoardSection:
    first = frame.iloc[0]
    epochs = [int(value) for value in frame["epochs"] if str(value).isdigit()]
    counts = frame.get("rows", [1])
    models = short_labels("model", list(dict.fromkeys(map(str, frame["model"]))))
    heuristics = short_labels("heuristic", list(dict.fromkeys(map(str, frame["heuristics"]))))
    rows = tuple(
        BoardRow(
            None if math.isnan(float(record["rank"])) else int(record["rank"]),
            models[str(record["model"])],
            ", ".join(_told(record, heuristics)),
            dict(_points(board, record)),
        )
        for record in frame.to_dict("records")
    )
    return BoardSection(
        dataset=str(first["dataset"]),
        scale=str(first["scale"]),
        images=int(first["n"]),
        attacked=int(frame["n_attacked"].max()),
        epochs=(min(epochs, default=0), max(epochs, default=0)),
        seeds=(int(min(counts)), int(max(counts))),
        rows=rows,
    )


def _told(record: dict[Any, Any], heuristics: Mapping[str, str]) -> Iterator[str]:
    """What tells a row from a plain model."""
    for name, plain in _UNSAID.items():
        value = str(record[name])
        if value == plain:
            continue
        shown = {"heuristics": heuristics.get(value, value), "trained_on": f"trained on {value}"}
        yield shown.get(name, value)


def _points(board: Leaderboard, record: dict[Any, Any]) -> Iterator[tuple[str, Point]]:
    columns = {ORIGINAL: "original", **part_names(board), ROBUST: "robust"}
    for kind, column in columns.items():
        value = float(record[column])
        if math.isnan(value):
            continue
        n = int(record["n_attacked"] if kind == ROBUST else record["n"])
        low, high = _interval(board.metric, record, column, value, n)
        yield kind, Point(value, low, high, kind == ROBUST and _doubted(board, record))


def _interval(
    metric: str, record: dict[Any, Any], column: str, value: float, n: int
) -> tuple[float, float]:
    """Student's t over seeds where there are several, else the score's own or Wilson's."""
    count = int(record.get("rows", 1))
    if count > 1:
        spread = np.array([float(record[f"{column} sd"])])
        margin = float(half_width(spread, np.array([count]))[0])
        return max(0.0, value - margin), min(1.0, value + margin)
    own = record.get(f"{column}_low"), record.get(f"{column}_high")
    if all(isinstance(end, float) and not math.isnan(end) for end in own):
        return own  # type: ignore[return-value]
    if metric != _PROPORTION:
        return math.nan, math.nan
    low, high = wilson_bounds(np.array([value]), np.array([n]))
    return float(low[0]), float(high[0])


def _doubted(board: Leaderboard, record: dict[Any, Any]) -> bool:
    """Whether the attack that the robust score is the lowest of is flagged."""
    flagged = [
        name
        for name, item in board.conditions.items()
        if item.is_attacked and f"{name}: " in str(record["flags"])
    ]
    return any(record[name] == record["robust"] for name in flagged)

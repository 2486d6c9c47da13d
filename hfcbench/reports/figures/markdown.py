"""Tables for people: a value with its interval in one cell."""

from __future__ import annotations

import math
from typing import Any

from pandas import DataFrame


def markdown(frame: DataFrame) -> str:
    """A Markdown table; columns ``x``, ``x_low``, ``x_high`` become one: ``0.512 [0.480, 0.544]``.

    Fractions have three digits; values that are not there are empty cells.
    """
    bounds = {f"{name}{end}" for name in frame for end in ("_low", "_high")}
    shown = [str(name) for name in frame if name not in bounds]
    lines = [_line(shown), _line(["---"] * len(shown))]
    for row in frame.to_dict("records"):
        lines.append(_line([_cell(row, name) for name in shown]))
    return "\n".join(lines) + "\n"


def _cell(row: dict[Any, Any], name: str) -> str:
    value = _text(row[name])
    low, high = _text(row.get(f"{name}_low")), _text(row.get(f"{name}_high"))
    return f"{value} [{low}, {high}]" if value and low and high else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.3f}"
    return str(value)


def _line(cells: list[str]) -> str:
    safe = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return "| " + " | ".join(safe) + " |"

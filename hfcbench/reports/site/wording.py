"""How numbers and labels read on the site."""

from __future__ import annotations

import math
import re
from typing import Any

from hfcbench.reports.site.elements import Cell, Interval

MINUS = "\N{MINUS SIGN}"
_LABEL = re.compile(r"([^()]*)\((.*)\)(.*)", re.DOTALL)


def finite(value: Any) -> float | None:
    """The number, or None where there is none or it is not finite."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def decimals(value: Any, *, signed: bool = False) -> str:
    """``0.770``, with a true minus sign; infinity by its name; nothing where nothing is known."""
    import pandas as pd

    if value is None or pd.isna(value):
        return ""
    number = float(value)
    if math.isinf(number):
        return f"{MINUS if number < 0 else ''}infinity"
    text = f"{number:+.3f}" if signed else f"{number:.3f}"
    return text.replace("-", MINUS)


def interval_text(low: float | None, high: float | None) -> str:
    """``[0.719, 0.814]``."""
    return "" if low is None or high is None else f"[{decimals(low)}, {decimals(high)}]"


def score_cell(value: Any, low: Any = None, high: Any = None, **more: Any) -> Cell:
    """A score in [0,1] with its bar and interval."""
    number, ends = finite(value), (finite(low), finite(high))
    interval = _within(ends[0], ends[1])
    share = None if number is None else min(max(number, 0.0), 1.0)
    text = decimals(value)
    note = interval_text(*ends) if text else ""
    return Cell(text, number, note, share=share, interval=interval, **more)


def number_cell(value: float | None, text: str | None = None, **more: Any) -> Cell:
    """A number that is no score."""
    shown = ("" if value is None else f"{value:g}") if text is None else text
    return Cell(shown, value, **more)


def text_cell(text: Any, **more: Any) -> Cell:
    """A name; it sorts as it reads."""
    return Cell(str(text), str(text).casefold(), **more)


def label_parts(label: str) -> tuple[str, str]:
    """A label without its parameters, and those: ``pgd@0.03`` and ``steps=5``."""
    match = _LABEL.fullmatch(label)
    return (label, "") if match is None else (f"{match[1]}{match[3]}", match[2])


def count_text(count: int, one: str, several: str | None = None) -> str:
    """``1 training``, ``12,000 trainings``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def bytes_text(size: int) -> str:
    """A file's size as people say it, in powers of 1000."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def duration_text(seconds: float) -> str:
    """``0.9 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _within(low: float | None, high: float | None) -> Interval | None:
    if low is None or high is None:
        return None
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)

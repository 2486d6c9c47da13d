"""Fitting a table into a width: what may wrap, and what has to go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

SEPARATOR = "  "
_NUMBER = re.compile(
    r"(?P<whole>[+-]?(?:\d[\d,]*|NaN|Infinity))(?P<rest>(?:\.\d+)?(?:[eE][+-]?\d+)?(?:\s.*)?)", re.S
)
# Space and what must not be broken: intervals, words, and in fgsm@0.03 the attack and its epsilon.
_PIECE = re.compile(r"(\s*)(\[[^\]\n]*\]|@?[^\s@]+|@)")
_WORD = re.compile(r"(\s*)(\[[^\]\n]*\]|\S+)")
_LONGEST_PIECE = 20
"""Longer words may be broken where there is no room for them."""


@dataclass(frozen=True, eq=False)
class Column:
    """A heading and its cells, as texts; a cell may have several lines."""

    heading: str
    cells: Sequence[str] = field(repr=False)

    @cached_property
    def numeric(self) -> bool:
        """Whether every cell that holds anything begins with a number."""
        filled = [cell for cell in self.cells if cell]
        return bool(filled) and all(map(_NUMBER.fullmatch, filled))

    @cached_property
    def aligned(self) -> Sequence[str]:
        """The cells as wide as each other, numbers with their decimal points in one line."""
        if not self.numeric:
            return self.cells
        parts = [_split(cell) for cell in self.cells]
        left = max(width_of(whole) for whole, _ in parts)
        right = max(width_of(rest) for _, rest in parts)
        return [
            " " * (left - width_of(whole)) + whole + rest + " " * (right - width_of(rest))
            for whole, rest in parts
        ]

    @cached_property
    def natural(self) -> int:
        """Letters that it takes where nothing wraps."""
        return max(map(width_of, _lines([self.heading, *self.aligned])), default=0)

    @cached_property
    def narrowest(self) -> int:
        """Letters that it needs at least."""
        longest = max((width_of(piece) for _, piece in self._pieces(_PIECE)), default=0)
        return longest if self.numeric else min(longest, _LONGEST_PIECE)

    @cached_property
    def comfortable(self) -> int:
        """Letters with which no word is broken."""
        return max((width_of(word) for _, word in self._pieces(_WORD)), default=0)

    def _pieces(self, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
        return pattern.findall("\n".join([self.heading, *self.cells]))

    def block(self, text: str, width: int) -> list[str]:
        """The lines of one of the cells, or of the heading, each as wide as that."""
        if all(width_of(line) <= width for line in text.split("\n")):
            lines = text.split("\n")
        else:
            lines = [line for one in text.split("\n") for line in _wrapped(one, width)]
        return [_padded(line, width, right=self.numeric) for line in lines]


@dataclass(frozen=True)
class Fitted:
    """What is shown, how wide each of it is, and the headings of what is not."""

    columns: Sequence[Column]
    widths: Sequence[int]
    dropped: Sequence[str]


def fit(columns: Sequence[Column], width: int | None, least: Sequence[str] = ()) -> Fitted:
    """Wrap columns, then drop the least important ones, until what is left fits.

    The first column always stays, whatever its width.

    Args:
        width: in letters; None has room for everything.
        least: headings that go first, in this order; then the others go, from the right.
    """
    shown, gone = list(columns), []
    while width is not None and len(shown) > 1 and _total(c.narrowest for c in shown) > width:
        goes = _least_important(shown[1:], least)
        shown.remove(goes)
        gone.append(goes)
    for column in reversed(gone):
        # A wide column may have made more room than it took to fit.
        more = [one for one in columns if one in shown or one is column]
        if width is not None and _total(one.narrowest for one in more) <= width:
            shown = more
    dropped = [column.heading for column in columns if column not in shown]
    return Fitted(shown, _widths(shown, width), dropped)


def width_of(text: str) -> int:
    """How many places of a terminal a text takes; some scripts need two for a letter."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _least_important(columns: Sequence[Column], least: Sequence[str]) -> Column:
    by_heading = {column.heading: column for column in columns}
    return next((by_heading[name] for name in least if name in by_heading), columns[-1])


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    """The natural widths if there is room; else each place goes to whom most is missing.

    Nothing goes to a column that only wraps between words while another breaks them.
    """
    natural = [column.natural for column in columns]
    if width is None or _total(natural) <= width:
        return natural
    widths = [min(column.narrowest, column.natural) for column in columns]
    for wanted in ([min(c.comfortable, c.natural) for c in columns], natural):
        for _ in range(width - _total(widths)):
            missing = [want / max(1, has) for want, has in zip(wanted, widths, strict=True)]
            neediest = missing.index(max(missing))
            if wanted[neediest] <= widths[neediest]:
                break
            widths[neediest] += 1
    return widths


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(SEPARATOR) * (len(found) - 1)


def _split(cell: str) -> tuple[str, str]:
    found = _NUMBER.fullmatch(cell)
    return ("", "") if found is None else (found["whole"], found["rest"])


def _lines(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n")]


def _wrapped(line: str, width: int) -> list[str]:
    """A line in lines of at most that width, broken between words where that is possible."""
    lines = [""]
    for space, piece in _PIECE.findall(line):
        together = lines[-1] + space + piece if lines[-1] else piece
        if width_of(together) <= width:
            lines[-1] = together
            continue
        if lines[-1]:
            lines.append("")
        *full, lines[-1] = _folded(piece, width)
        lines[-1:-1] = full
    return lines


def _folded(piece: str, width: int) -> list[str]:
    """A word in parts of at most that width."""
    parts = [""]
    for letter in piece:
        if parts[-1] and width_of(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _padded(line: str, width: int, *, right: bool) -> str:
    space = " " * (width - width_of(line))
    return space + line if right else line + space

"""What pages are made of: tables, charts, facts. Plain values, escaped when they are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "number", "score", "effect", "code"]
Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: short; ``detail`` is a second, smaller line.
        kind: scores have a bar and an interval, effects a bar whose middle is 0; numbers are
            aligned by their digits.
        hint: a sentence for who wants to know more.
        attack: the attack that it is about, so that readers can choose one.
        headline: whether it is what the table is about.
        ordered: whether rows come sorted by it, the smallest first.
        context: left out on narrow screens, where another cell says it in small.
    """

    title: str
    kind: Kind = "text"
    detail: str = ""
    hint: str = ""
    attack: str = ""
    headline: bool = False
    ordered: bool = False
    context: bool = False


@dataclass(frozen=True)
class Cell:
    """What stands where a row and a column meet.

    Attributes:
        order: what the table sorts by; None comes last.
        note: a second, smaller line, such as an interval.
        context: one more, on narrow screens only: what columns that are left out there say.
        link: an address relative to the page.
        share: how much of its bar is filled, in [0,1].
        interval: its ends on the same bar.
        tone: what it means: ``good``, ``bad`` or ``doubt``.
    """

    text: str
    order: float | str | None = None
    note: str = ""
    context: str = ""
    link: str = ""
    share: float | None = None
    interval: Interval | None = None
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """Cells, one per column; ``facts`` is what filters look at, several values of one by line."""

    cells: tuple[Cell, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table whose columns readers can sort by.

    Attributes:
        name: unique on its page; lower case, digits and hyphens.
        caption: what it shows, for those who cannot see where it stands.
        note: how to read it.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def row_header(self) -> int:
        """The position of the column that names the rows: the first one of text."""
        return next((place for place, one in enumerate(self.columns) if one.kind == "text"), -1)


@dataclass(frozen=True)
class Series:
    """Points of one colour: ``y`` against ``x``, with intervals or without.

    Attributes:
        colour: the number of its colour, from 0; equal numbers in one page mean the same.
        dashed: whether its line is; parts of high frequency are.
        points: no line between them.
        names: what each point is called.
    """

    name: str
    x: tuple[float | str, ...]
    y: tuple[float | None, ...]
    colour: int
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    dashed: bool = False
    points: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart with its numbers as a table.

    Attributes:
        name: unique on its page; lower case, digits and hyphens.
        summary: one sentence on what is to be seen, also for those who cannot see it.
        diagonal: draw where both axes are equal.
        unit_range: the vertical axis goes from 0 to 1.
        from_zero: the horizontal axis starts at 0.
    """

    name: str
    title: str
    summary: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    table: Table
    diagonal: bool = False
    unit_range: bool = True
    from_zero: bool = False


@dataclass(frozen=True)
class Fact:
    """A name and its value, in a list of such."""

    name: str
    text: str
    link: str = ""
    code: bool = False


@dataclass(frozen=True)
class Picture:
    """An image file of the site, with what it shows in words; its size is in pixels."""

    source: str
    alternative: str
    caption: str
    width: int
    height: int

"""The numbers of a chart as a table."""

from __future__ import annotations

from collections.abc import Sequence

from hfcbench.reports.site.elements import Cell, Column, Row, Series, Table
from hfcbench.reports.site.wording import decimals, number_cell, text_cell


def series_table(
    name: str, caption: str, x_title: str, y_title: str, series: Sequence[Series]
) -> Table:
    """A row per point of the series, in their order; with intervals where a series has them."""
    with_intervals = any(one.low for one in series)
    columns = [Column("series"), Column(x_title, "number"), Column(y_title, "number")]
    if with_intervals:
        columns += [Column("low", "number"), Column("high", "number")]
    rows = []
    for one in series:
        for place, (x, y) in enumerate(zip(one.x, one.y, strict=True)):
            cells = [text_cell(one.name), _position(x), _decimal(y)]
            if with_intervals:
                ends = (one.low, one.high)
                cells += [_decimal(end[place] if end else None) for end in ends]
            rows.append(Row(tuple(cells)))
    return Table(name, caption, tuple(columns), tuple(rows))


def _position(x: float | str) -> Cell:
    return text_cell(x) if isinstance(x, str) else number_cell(float(x))


def _decimal(value: float | None) -> Cell:
    return number_cell(value, decimals(value))

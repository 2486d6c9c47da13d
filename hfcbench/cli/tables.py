"""Printing rows as a table, CSV, JSON or Markdown."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import click

from hfcbench.cli.console import is_styled, terminal_width
from hfcbench.cli.fitting import SEPARATOR, Column, Fitted, fit

_STYLES: Mapping[tuple[str, str | None], dict[str, Any]] = {
    ("flags", None): {"fg": "yellow"},
    ("verdict", "supported"): {"fg": "green"},
    ("verdict", "contradicted"): {"fg": "red"},
    ("verdict", "undecided"): {"fg": "yellow"},
}
"""Where there are colours, those of a column (None: whatever the cell), or of one cell in it."""
_HEADING = {"bold": True}
_NAMED = 12


def print_rows(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    output_format: str,
    *,
    least: Sequence[str] = (),
) -> None:
    """Print rows in one of :data:`hfcbench.cli.options.FORMATS`.

    CSV and JSON hold every digit; NaN and infinity become the texts NaN and Infinity there.

    Args:
        least: see :func:`print_table`.
    """
    if output_format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        # Programs get every character; a terminal none that controls it.
        shown = _printable_cell if sys.stdout.isatty() else plain
        writer.writerow(map(shown, columns))
        writer.writerows(map(shown, row) for row in rows)
    elif output_format == "json":
        records = [dict(zip(columns, map(plain, row), strict=True)) for row in rows]
        click.echo(json_text(records, indent=2))
    elif output_format == "markdown":
        _print_markdown(columns, rows)
    else:
        print_table(columns, [list(map(cell, row)) for row in rows], least=least)


def cell(value: Any) -> str:
    """A value as people read it: three decimals, blanks for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else str(plain(value))
    return printable(str(plain(value)))


def printable(text: str, *, keep: str = "") -> str:
    """Text without what would control the terminal: names come from plugins and databases.

    Args:
        keep: control characters that stay, such as line feeds.
    """
    return "".join(
        letter
        if letter.isprintable() or letter in keep
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def json_text(value: Any, **options: Any) -> str:
    """JSON in which whatever is not printable is escaped, as JSON allows; reads back the same."""
    text = json.dumps(value, ensure_ascii=False, **options)
    return "".join(
        letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1]
        for letter in text
    )


def _printable_cell(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else plain(value)


def plain(value: Any) -> Any:
    """A value as CSV and JSON hold it: NaN, infinity and bytes as texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return value.hex()
    return value


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, least: Sequence[str] = ()
) -> None:
    """Print texts as a table that fits the terminal; a cell may have several lines.

    Where it is too wide, columns wrap, and then the least important ones are left out, which is
    said. In a pipe or file nothing is.

    Args:
        least: columns that are left out first, in this order; then the others are, from the right.
    """
    if not columns:
        return
    width = terminal_width()
    table = [
        Column(printable(name), [printable(row[index], keep="\n") for row in rows])
        for index, name in enumerate(columns)
    ]
    found = fit(table, width, least)
    lines = _beside(found, [column.heading for column in found.columns], lambda *_: _HEADING)
    for cells in zip(*(column.aligned for column in found.columns), strict=True):
        lines += _beside(found, cells, _style)
    click.echo("\n".join(lines), color=is_styled())
    if found.dropped:
        # Not among the rows, which may be read by another program.
        click.echo(_not_shown(found.dropped, width), err=True)


def _not_shown(names: Sequence[str], width: int | None) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        f"not shown, for want of room ({width} letters): {', '.join(names[:_NAMED])}{more}; "
        "a wider terminal or a pipe (| less -S) shows all"
    )


def _beside(
    table: Fitted, cells: Sequence[str], style: Callable[[Column, str], dict[str, Any]]
) -> list[str]:
    """The lines of a row: cells beside each other, styled; click takes that away where it must."""
    blocks = [
        [_styled(line, style(column, cell)) for line in lines]
        for column, cell, lines in _blocks(table, cells)
    ]
    spaces = [" " * width for width in table.widths]
    return [
        SEPARATOR.join(
            space if line is None else line for line, space in zip(row, spaces, strict=True)
        ).rstrip()
        for row in zip_longest(*blocks)
    ]


def _styled(line: str, style: dict[str, Any]) -> str:
    """A line whose letters look so; the spaces around them stay as they are."""
    text = line.strip()
    return line.replace(text, click.style(text, **style)) if style and text else line


def _blocks(table: Fitted, cells: Sequence[str]) -> Iterator[tuple[Column, str, list[str]]]:
    for column, cell, width in zip(table.columns, cells, table.widths, strict=True):
        yield column, cell.strip(), column.block(cell, width)


def _style(column: Column, cell: str) -> dict[str, Any]:
    """How a cell looks; nothing for most."""
    return _STYLES.get((column.heading, None)) or _STYLES.get((column.heading, cell), {})


def _print_markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    def line(values: Sequence[str]) -> str:
        return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |"

    click.echo(line(list(map(printable, columns))))
    click.echo(line(["---"] * len(columns)))
    for row in rows:
        click.echo(line([cell(value) for value in row]))

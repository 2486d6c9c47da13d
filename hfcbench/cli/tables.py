"""Printing rows as a table, CSV, JSON or Markdown."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from hfcbench.cli.console import plain_console

_UNLIMITED = 100_000


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], output_format: str) -> None:
    """Print rows in one of :data:`hfcbench.cli.options.FORMATS`.

    CSV and JSON hold every digit; NaN and infinity become the texts NaN and Infinity there.
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
        _print_table(columns, rows)


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


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(printable(column), justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(cell, row))
    # Long lines can be read, scrolled and cut; columns of a few letters cannot.
    needed = plain_console(width=_UNLIMITED).measure(table).maximum
    plain_console(width=needed).print(table)


def _print_markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    def line(values: Sequence[str]) -> str:
        return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |"

    click.echo(line(list(map(printable, columns))))
    click.echo(line(["---"] * len(columns)))
    for row in rows:
        click.echo(line([cell(value) for value in row]))

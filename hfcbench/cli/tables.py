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
        writer.writerow(columns)
        writer.writerows([_plain(value) for value in row] for row in rows)
    elif output_format == "json":
        records = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    elif output_format == "markdown":
        _print_markdown(columns, rows)
    else:
        _print_table(columns, rows)


def cell(value: Any) -> str:
    """A value as people read it: three decimals, blanks for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else str(_plain(value))
    return printable(str(_plain(value)))


def printable(text: str) -> str:
    """Text without what would control the terminal: names come from plugins and databases."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _plain(value: Any) -> Any:
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

    click.echo(line(columns))
    click.echo(line(["---"] * len(columns)))
    for row in rows:
        click.echo(line([cell(value) for value in row]))

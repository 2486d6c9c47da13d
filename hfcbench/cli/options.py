"""Options that several commands share."""

from __future__ import annotations

import click

FORMATS = ("table", "csv", "json", "markdown")

database_option = click.option(
    "--db",
    default="results.db",
    show_default=True,
    metavar="FILE_OR_URL",
    help="The results database: an SQLite file or a SQLAlchemy URL.",
)

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print the rows.",
)

"""`hfcbench query SQL`: a read-only question to the database."""

from __future__ import annotations

import click

from hfcbench.cli.options import database_option, format_option
from hfcbench.cli.tables import print_rows


@click.command(short_help="Answer a SQL question.")
@click.argument("sql")
@database_option
@format_option
def command(sql: str, db: str, output_format: str) -> None:
    """Answer a SQL question from a results database. Nothing can be written this way.

    The views `leaderboard` and `robustness` answer most questions:
    hfcbench query "select model, original, lfc from leaderboard where cutoff = 8"
    """
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        columns, rows = store.query(sql)
    print_rows(columns, rows, output_format)

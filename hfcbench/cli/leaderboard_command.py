"""`hfcbench leaderboard`: ranked rows from the database."""

from __future__ import annotations

from typing import Any

import click

from hfcbench.cli.frames import wide
from hfcbench.cli.leaderboard_table import compact, notes, without_constants
from hfcbench.cli.options import database_option, filter_options, format_option
from hfcbench.cli.tables import print_rows, printable
from hfcbench.results.queries.naming import GROUPS


@click.command(short_help="Show the leaderboard.")
@database_option
@format_option
@filter_options
@click.option("--sort", help="Column to sort by, best first; default: original.")
@click.option(
    "--group",
    type=click.Choice(GROUPS),
    help="Mean over the rows that share this; configuration: over seeds.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Every row, whatever the limit.")
@click.option("--radius", type=float, help="Radius or rank to show; default: the middle one.")
@click.option("--epsilon", type=float, help="Attack strength to show; default: the smallest.")
@click.option("--attack-norm", help="Only attacks whose epsilon is of this norm: linf or l2.")
@click.option("--criterion", help="Only attacks that were judged so: worst-case, exact or full.")
@click.option("--attack-mode", help="Only attacks of this mode: adaptive, transfer or oblivious.")
@click.option("--rank-intervals", is_flag=True, help="Between which ranks each row lies.")
@click.option("--metric", default="top1", show_default=True)
@click.option("--wide", "all_columns", is_flag=True, help="Every radius, attack and interval.")
def command(
    db: str,
    output_format: str,
    sort: str | None,
    group: str | None,
    limit: int,
    everything: bool,
    radius: float | None,
    epsilon: float | None,
    attack_norm: str | None,
    criterion: str | None,
    attack_mode: str | None,
    rank_intervals: bool,
    metric: str,
    all_columns: bool,
    **filters: Any,
) -> None:
    """Show original accuracy beside low- and high-frequency and robust accuracy, ranked.

    Only rows of one dataset content, scale, split, number of images and evaluation procedure are
    ranked against each other, and a column holds scores of one condition.
    """
    from hfcbench.results.opening import open_store

    full = output_format in ("csv", "json") or all_columns
    with open_store(db, read_only=True) as store:
        board = store.leaderboard(
            metric=metric,
            sort=sort or "original",
            group=group,
            limit=None if everything else limit,
            columns="all" if full else "main",
            cutoff=radius,
            epsilon=epsilon,
            rank_intervals=rank_intervals,
            **filters,
            attack_norm=attack_norm,
            criterion=criterion,
            attack_mode=attack_mode,
        )
    if output_format in ("csv", "json"):
        columns, rows = wide(board.frame)
    elif all_columns:
        columns, rows = wide(without_constants(board.frame))
    else:
        columns, rows = compact(board)
    print_rows(columns, rows, output_format)
    for line in notes(board):
        # Not among the rows, which may be read by another program.
        click.echo(printable(line), err=True)

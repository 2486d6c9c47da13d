"""`hfcbench leaderboard`: ranked rows from the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hfcbench.cli.frames import wide
from hfcbench.cli.leaderboard_table import (
    compact,
    least_important,
    notes,
    together,
    without_constants,
)
from hfcbench.cli.options import database_option, filter_options, format_option
from hfcbench.cli.tables import print_rows, printable
from hfcbench.errors import UsageError
from hfcbench.results.queries.naming import GROUPS

if TYPE_CHECKING:
    from hfcbench.results.queries.leaderboard import Leaderboard
    from hfcbench.results.store import Store


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
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="At most so many rows.",
)
@click.option("--all", "everything", is_flag=True, help="Every row, whatever the limit.")
@click.option("--radius", type=float, help="Radius or rank to show; default: the middle one.")
@click.option("--epsilon", type=float, help="Attack strength to show; default: the smallest.")
@click.option("--attack-norm", help="Only attacks whose epsilon is of this norm: linf or l2.")
@click.option("--criterion", help="Only attacks that were judged so: worst-case, exact or full.")
@click.option("--attack-mode", help="Only attacks of this mode: adaptive, transfer or oblivious.")
@click.option("--rank-intervals", is_flag=True, help="Between which ranks each row lies.")
@click.option(
    "--metric", help="Default: what ranks models, a table per task (top1; map for detection)."
)
@click.option("--wide", "all_columns", is_flag=True, help="Every radius, attack and interval.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png|FILE.svg",
    help="Draw it, too; to be shown 900 pixels wide.",
)
@click.option(
    "--theme",
    type=click.Choice(["light", "dark"]),
    default="light",
    show_default=True,
    help="Background of what --out draws.",
)
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
    metric: str | None,
    all_columns: bool,
    out: Path | None,
    theme: str,
    **filters: Any,
) -> None:
    """Show original accuracy beside low- and high-frequency and robust accuracy, ranked.

    Detectors have a table of their own, of mean average precision.

    Only rows of one dataset content, scale, split, number of images and evaluation procedure are
    ranked against each other, and a column holds scores of one condition.
    """
    from hfcbench.results.opening import open_store

    if out is not None:
        from hfcbench.reports.figures.drawing import check_ending

        check_ending(out)
    full = output_format in ("csv", "json") or all_columns
    filters |= {"attack_norm": attack_norm, "criterion": criterion, "attack_mode": attack_mode}
    question = {
        "sort": sort or "original",
        "group": group,
        "limit": None if everything else limit,
        "columns": "all" if full else "main",
        "cutoff": radius,
        "epsilon": epsilon,
        "rank_intervals": rank_intervals,
        **filters,
    }
    with open_store(db, read_only=True) as store:
        metrics = (metric,) if metric else store.headline_metrics(**filters)
        boards, lines = _boards(store, metrics, question)
        if out is not None:
            _draw(store, [board.metric for board in boards], question, out, theme)
    if output_format in ("csv", "json"):
        columns, rows = wide(together(boards))
        print_rows(columns, rows, output_format)
    else:
        _print_tables(boards, output_format, all_columns=all_columns)
    for line in [*(line for board in boards for line in notes(board)), *lines]:
        # Not among the rows, which may be read by another program.
        click.echo(printable(line), err=True)
    if out is not None:
        click.echo(printable(f"drawn: {out}"), err=True)


def _draw(
    store: Store, metrics: Sequence[str], question: dict[str, Any], out: Path, theme: str
) -> None:
    """Draw the one leaderboard that there is.

    Raises:
        UsageError: there are several, or it has no rows or too many.
    """
    from hfcbench.reports.figures.drawing import save_figure
    from hfcbench.reports.figures.leaderboard import draw_leaderboard

    if len(metrics) > 1:
        raise UsageError(
            f"a picture has one leaderboard, and there are {len(metrics)}",
            hint=f"choose one of them: --metric {' or --metric '.join(metrics)}",
        )
    board = store.leaderboard(metric=metrics[0], **question | {"columns": "main"})
    save_figure(draw_leaderboard(board, theme), out)


def _boards(
    store: Store, metrics: Sequence[str], question: dict[str, Any]
) -> tuple[list[Leaderboard], list[str]]:
    """The leaderboards that answer a question, and what a reader must know of the others.

    Raises:
        UsageError: none of them does.
    """
    boards: list[Leaderboard] = []
    refused: list[UsageError] = []
    for metric in metrics:
        try:
            boards.append(store.leaderboard(metric=metric, **question))
        except UsageError as error:
            # A radius or column of one task need not be one of the other.
            refused.append(error)
    if not boards:
        raise refused[0]
    filled = [board for board in boards if len(board.frame)]
    return filled or boards[:1], [f"left out: {error.what}" for error in refused]


def _print_tables(boards: Sequence[Leaderboard], output_format: str, *, all_columns: bool) -> None:
    for number, board in enumerate(boards):
        if len(boards) > 1:
            click.echo(("\n" if number else "") + f"metric {board.metric}")
        if all_columns:
            columns, rows = wide(without_constants(board.frame))
            # From the right, but for what leads to all the rest.
            least = [name for name in reversed(columns) if name != "id"]
        else:
            columns, rows = compact(board)
            least = least_important(board)
        print_rows(columns, rows, output_format, least=least)

"""`hfcbench tradeoff`: accuracy against robust accuracy, from the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from hfcbench.cli.frames import wide
from hfcbench.cli.options import database_option, filter_options, format_option
from hfcbench.cli.tables import print_rows, printable
from hfcbench.cli.tradeoff_table import LEAST, compact, notes


@click.command(short_help="Hold accuracy against robust accuracy.")
@database_option
@format_option
@filter_options
@click.option(
    "--epsilon", type=float, help="L-infinity radius of the ball; default: the smallest attacked."
)
@click.option("--radius", type=float, help="Radius or rank of the LFCs; default: the middle one.")
@click.option("--group", type=click.Choice(["configuration"]), help="Mean over seeds.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png|FILE.svg",
    help="Draw it, too.",
)
def command(
    db: str,
    output_format: str,
    epsilon: float | None,
    radius: float | None,
    group: Literal["configuration"] | None,
    out: Path | None,
    **filters: Any,
) -> None:
    """Hold every model's accuracy against its robust accuracy: the worst case in an epsilon ball.

    Only models with the same images that faced the same attacks are held against each other; front
    says which of them none beats in clean and robust accuracy, three-way front in clean, LFC and
    robust accuracy. Robust scores that are in doubt are on no front.
    """
    from hfcbench.results.opening import open_store

    if out is not None:
        from hfcbench.reports.figures.drawing import check_ending

        check_ending(out)
    with open_store(db, read_only=True) as store:
        found = store.tradeoff(epsilon=epsilon, cutoff=radius, group=group, **filters)
    columns, rows = wide(found.frame) if output_format in ("csv", "json") else compact(found)
    print_rows(columns, rows, output_format, least=LEAST)
    for line in notes(found):
        # Not among the rows, which may be read by another program.
        click.echo(printable(line), err=True)
    if out is not None:
        from hfcbench.reports.figures.clean_against_robust import draw_tradeoff
        from hfcbench.reports.figures.drawing import save_figure

        save_figure(draw_tradeoff(found), out)
        click.echo(printable(f"drawn: {out}"), err=True)

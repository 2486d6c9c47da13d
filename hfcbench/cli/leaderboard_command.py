"""`hfcbench leaderboard`: ranked rows from the database."""

from __future__ import annotations

import click

from hfcbench.cli.leaderboard_table import compact, wide, without_constants
from hfcbench.cli.options import database_option, format_option
from hfcbench.cli.tables import print_rows


@click.command(short_help="Show the leaderboard.")
@database_option
@format_option
@click.option("--dataset", help="Only this dataset.")
@click.option("--model", help="Only models whose label starts so, e.g. resnet18.")
@click.option("--heuristic", help="Only trainings with this heuristic (vanilla: with none).")
@click.option("--defence", help="Only this defence (none: undefended).")
@click.option("--trained-on", help="Only models trained on this component.")
@click.option("--sort", help="Column to sort by, best first; default: original.")
@click.option("--group", help="Mean over the rows that share this column, e.g. model.")
@click.option("--radius", type=float, help="Radius or rank to show; default: the middle one.")
@click.option("--epsilon", type=float, help="Attack strength to show; default: the smallest.")
@click.option("--wide", "all_columns", is_flag=True, help="Every radius, attack and interval.")
def command(
    db: str,
    output_format: str,
    dataset: str | None,
    model: str | None,
    heuristic: str | None,
    defence: str | None,
    trained_on: str | None,
    sort: str | None,
    group: str | None,
    radius: float | None,
    epsilon: float | None,
    all_columns: bool,
) -> None:
    """Show original accuracy beside low- and high-frequency and robust accuracy, ranked.

    Only rows of one dataset content and one decomposition are ranked against each other.
    """
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        frame = store.leaderboard(
            dataset=dataset,
            model=model,
            heuristic=heuristic,
            defence=defence,
            trained_on=trained_on,
            sort=sort or "original",
            group=group,
        )
    if output_format in ("csv", "json"):
        columns, rows = wide(frame)
    elif all_columns:
        columns, rows = wide(without_constants(frame))
    else:
        columns, rows = compact(frame, cutoff=radius, epsilon=epsilon)
    print_rows(columns, rows, output_format)

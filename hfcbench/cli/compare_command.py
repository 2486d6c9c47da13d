"""`hfcbench compare A B`: two rows, image by image."""

from __future__ import annotations

import click

from hfcbench.cli.frames import wide
from hfcbench.cli.options import database_option, format_option
from hfcbench.cli.tables import print_rows

_CORRECTIONS = ("holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli", "none")
_LEAST = ("test", "p_value", "only_first", "only_second", "n", "high", "low")
"""Columns that a narrow terminal can do without."""


@click.command(short_help="Compare rows image by image.")
@click.argument("identities", nargs=-1, required=True, metavar="ID ID...")
@database_option
@format_option
@click.option(
    "--correction",
    type=click.Choice(_CORRECTIONS),
    default="holm",
    show_default=True,
    help="For the number of comparisons.",
)
def command(identities: tuple[str, ...], db: str, output_format: str, correction: str) -> None:
    """Compare evaluations, or trainings under every condition that they share.

    Each ID is the beginning of an identity, as the leaderboard shows it. The test is McNemar's, the
    interval of the difference a paired bootstrap over images; both look at the same images. Of
    detectors it is the difference in mean average precision, and the bootstrap's interval.
    """
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        frame = store.compare(identities, correction=correction)
    if output_format in ("table", "markdown"):
        for name in {"p_value", "p_adjusted"} & set(frame.columns):
            frame[name] = [f"{value:.2g}" for value in frame[name]]
    columns, rows = wide(frame)
    print_rows(columns, rows, output_format, least=_LEAST)

"""`hfcbench show ID`: where a number comes from."""

from __future__ import annotations

import click

from hfcbench.cli.options import database_option
from hfcbench.cli.tables import printable

_SUITE_FORMAT = "suite"


@click.command(short_help="Tell where a number comes from.")
@click.argument("identity", metavar="ID")
@database_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json", _SUITE_FORMAT)),
    default="text",
    show_default=True,
    help="suite: the suite file that computes it again.",
)
def command(identity: str, db: str, output_format: str) -> None:
    """Show everything that is known of a training, an evaluation or an analysis.

    ID is the beginning of its identity: the leaderboard shows those of trainings, and this command
    those of a training's evaluations and analyses.
    """
    from hfcbench.cli.show_report import document, report
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        provenance = store.provenance(identity)
        intervals = (
            store.intervals(provenance.identity).to_dict("records")
            if provenance.kind == "evaluation"
            and output_format == "text"
            and not provenance.holds_detections
            else []
        )
    if output_format == "json":
        click.echo(document(provenance))
    elif output_format == _SUITE_FORMAT:
        from hfcbench.runner.recompute import suite_text

        click.echo(suite_text(provenance), nl=False)
    else:
        for line in report(provenance, intervals, db):
            click.echo(printable(line, keep="\n"))

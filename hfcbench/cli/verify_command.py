"""`hfcbench verify ID`: a stored result, computed again."""

from __future__ import annotations

from pathlib import Path

import click

from hfcbench.cli.main import EXIT_FAILED
from hfcbench.cli.options import database_option, place_options
from hfcbench.cli.tables import printable
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation


@click.command(short_help="Recompute a stored result and compare.")
@click.argument("identity", metavar="ID")
@database_option
@click.option("--retrain", is_flag=True, help="Train again even where the checkpoint is there.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.002,
    show_default=True,
    help="Largest difference of two numbers that still agree.",
)
@place_options
def command(
    identity: str,
    db: str,
    retrain: bool,
    tolerance: float,
    artifacts: Path | None,
    device: str,
    data_root: Path | None,
    download: bool,
    cache_dir: Path,
) -> int:
    """Compute a training, an evaluation or an analysis again and compare it with the database.

    ID is the beginning of its identity, as the leaderboard and `hfcbench show` of a training show
    it. An evaluation or an analysis is repeated with its stored checkpoint, or, where that file is
    missing, after training again; a training is trained again. Nothing is written. Exit code 1 says
    that the results do not agree.
    """
    from hfcbench.results.opening import open_store
    from hfcbench.runner.verification import verify

    settings = Settings(
        database=db,
        artifacts=artifacts,
        device=device,
        location=DataLocation(data_root, download),
        cache_root=cache_dir,
    )
    session = Session(load_plugins(), settings)
    with open_store(db, read_only=True) as store:
        provenance = store.provenance(identity)
        found = verify(session, store, provenance, retrain=retrain, tolerance=tolerance)
    click.echo(f"{provenance.kind} {provenance.identity}")
    if found.same_files is not None:
        verdicts = (
            f"{'' if same else 'not '}the same {kind.replace('-', ' ')}"
            for kind, same in found.same_files.items()
        )
        click.echo(printable(f"trained again: {', '.join(verdicts)}"))
    for check in found.checks:
        verdict = "agrees" if check.agrees else "DISAGREES"
        line = f"{check.name}: {check.said} (tolerance {check.tolerance:g}): {verdict}"
        click.echo(printable(line))
    if found.n:
        click.echo(f"{found.different_predictions} of {found.n} predictions differ")
    different = ", ".join(check.name for check in found.checks if not check.agrees)
    problem = f"NOT verified: {different}" if different else "NOT verified"
    click.echo("verified" if found.agrees else printable(problem))
    return 0 if found.agrees else EXIT_FAILED

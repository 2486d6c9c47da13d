"""`hfcbench report`: a static site from a results database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hfcbench.cli.options import database_option
from hfcbench.cli.overrides import override_options, overrides_from
from hfcbench.cli.tables import printable


@click.command(short_help="Write a static site of the results.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the site: new, empty, or of a former report, whose stale pages go.",
)
@database_option
@click.option("--force", is_flag=True, help="Write into a folder with other files; they stay.")
@click.option("--no-pictures", is_flag=True, help="Leave out kernels and example images.")
@override_options
def command(out: Path, db: str, force: bool, no_pictures: bool, **options: Any) -> None:
    """Write leaderboards, trainings, datasets and the paper's claims as a static site.

    It needs no network and no program of ours: put the folder on any web server, or open its
    index.html. The same database makes the same files.

    With --dataset it is about that dataset only. The page of claims is about the studies that the
    database's runs asked for. Other options that replace parts of suites make it about the paper's
    suites changed like that.
    """
    from hfcbench.reports.site.extra import check_installed

    check_installed()
    from hfcbench.cli.asked import read_studies
    from hfcbench.plugins import load_plugins
    from hfcbench.reports.site.building import write_site
    from hfcbench.results.opening import open_store

    registry = load_plugins().registry
    overrides = overrides_from(options)
    changed = [path for path, _ in overrides if path != ("datasets",)]
    with open_store(db, read_only=True) as store:
        written = write_site(
            store,
            registry,
            out,
            datasets=options["dataset"],
            overrides=overrides,
            asked=() if changed else [item.study for item in read_studies(store, registry)],
            force=force,
            pictures=not no_pictures,
        )
    click.echo(printable(f"{written.page_count} pages; open {written.first_page}"))

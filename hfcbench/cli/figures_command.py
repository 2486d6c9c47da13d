"""`hfcbench figures`: a suite's figures and tables, from a results database alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hfcbench.cli.options import data_root_option, database_option
from hfcbench.cli.overrides import override_options, overrides_from, run_command
from hfcbench.plugins import load_plugins
from hfcbench.types import DataLocation


@click.command(short_help="Draw a suite's figures and tables.")
@click.argument("suite")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; made if it is missing.",
)
@database_option
@data_root_option
@override_options
def command(suite: str, out: Path, db: str, data_root: Path | None, **options: Any) -> int:
    """Draw the figures and tables of SUITE from a results database: PNG, SVG, CSV, Markdown.

    Give the options that the suite was run with, such as --scale and --dataset. Neither images
    nor checkpoints are needed.
    """
    from hfcbench.reports.figures.drawing import save
    from hfcbench.reports.figures.suites import check_figures, draw
    from hfcbench.reports.reading import read_study
    from hfcbench.results.opening import open_store
    from hfcbench.runner.suite_search import included_suites

    registry = load_plugins().registry
    suites = included_suites(suite, registry)
    for name in suites:
        check_figures(name)
    with open_store(db, read_only=True) as store:
        for name in suites:
            study = read_study(
                store,
                registry,
                name,
                overrides_from(options),
                command=run_command(name, db, options),
                location=DataLocation(data_root),
            )
            for output in draw(study):
                for path in save(output, out):
                    click.echo(path)
    return 0

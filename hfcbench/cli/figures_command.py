"""`hfcbench figures`: a suite's figures and tables, from a results database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hfcbench.cli.completing import suites
from hfcbench.cli.options import data_root_option, database_option
from hfcbench.cli.overrides import override_options, overrides_from, run_command
from hfcbench.cli.tables import printable
from hfcbench.errors import DataError
from hfcbench.plugins import load_plugins
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    from hfcbench.reports.figures.drawing import Drawing, TableOutput


@click.command(short_help="Draw a suite's figures and tables.")
@click.argument("suite", shell_complete=suites)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; made if it is missing.",
)
@database_option
@data_root_option
@click.option(
    "--radius",
    type=float,
    help="Of detectors, show pictures that gain and drop on components of this radius or rank; by "
    "default on the LFC that most gain on.",
)
@override_options
def command(
    suite: str,
    out: Path,
    db: str,
    data_root: Path | None,
    radius: float | None,
    **options: Any,
) -> int:
    """Draw the figures and tables of SUITE from a results database: PNG, SVG, CSV, Markdown.

    Give the options that the suite was run with, such as --scale and --dataset. Neither images
    nor checkpoints are needed, but for the pictures that detectors gain and drop on: they come
    from the dataset, and are left out where it is not at hand.
    """
    from hfcbench.reports.figures.examples import draw_examples
    from hfcbench.reports.figures.suites import check_figures, draw
    from hfcbench.reports.reading import read_study
    from hfcbench.results.opening import open_store
    from hfcbench.runner.suite_search import included_suites, suite_files
    from hfcbench.runner.suite_tasks import tasks_of

    registry = load_plugins().registry
    overrides, location = overrides_from(options), DataLocation(data_root)
    suites = included_suites(suite, registry)
    for name in suites:
        files = suite_files(name, overrides, registry)
        tasks = {task for file in files for task in tasks_of(file, registry, location)}
        check_figures(name, detectors="detection" in tasks)
    with open_store(db, read_only=True) as store:
        for name in suites:
            again = run_command(name, db, options)
            study = read_study(store, registry, name, overrides, command=again, location=location)
            examples = draw_examples(study, radius)
            _save(draw(study), out)
            _save_examples(examples, out)
    return 0


def _save(outputs: Iterable[Drawing | TableOutput], out: Path) -> None:
    from hfcbench.reports.figures.drawing import save

    for output in outputs:
        for path in save(output, out):
            click.echo(path)


def _save_examples(examples: Iterable[Iterable[Drawing]], out: Path) -> None:
    """Pictures need their dataset; without it all else is still worth having."""
    for drawings in examples:
        try:
            _save(drawings, out)
        except DataError as error:
            left_out = f"pictures that gain and drop most are left out: {error.what}; "
            hint = "say --data-root with the folder of the dataset that was evaluated"
            click.echo(printable(left_out + hint), err=True)

"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from hfcbench.cli.completing import files, names_of

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "csv", "json", "markdown")

database_option = click.option(
    "--db",
    default="results.db",
    show_default=True,
    metavar="FILE_OR_URL",
    shell_complete=files,
    help="The results database: an SQLite file or a SQLAlchemy URL.",
)

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print the rows.",
)

data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of downloaded datasets.",
)

artifacts_option = click.option(
    "--artifacts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for checkpoints; by default 'checkpoints' beside the database file.",
)

cache_option = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=platformdirs.user_cache_path("hfcbench"),
    show_default="the user's cache folder",
    help="Folder for decoded images.",
)

_PLACES = (
    artifacts_option,
    click.option(
        "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps."
    ),
    data_root_option,
    click.option("--download", is_flag=True, help="Download missing datasets into --data-root."),
    cache_option,
)


def place_options(function: F) -> F:
    """Where a command that computes reads, computes and writes."""
    for option in reversed(_PLACES):
        function = option(function)
    return function


_FILTERS = (
    click.option("--dataset", help="Only this dataset.", shell_complete=names_of("dataset")),
    click.option(
        "--model",
        help="Only models whose label starts so, e.g. resnet18.",
        shell_complete=names_of("model"),
    ),
    click.option(
        "--heuristic",
        help="Only trainings with this heuristic (vanilla: with none).",
        shell_complete=names_of("heuristic"),
    ),
    click.option(
        "--defence",
        help="Only this defence (none: undefended).",
        shell_complete=names_of("defence"),
    ),
    click.option("--trained-on", help="Only models trained on this component."),
    click.option(
        "--decomposition",
        help="Components cut by this decomposition only.",
        shell_complete=names_of("decomposition"),
    ),
    click.option("--rescaling", help="Components with this rescaling only."),
    click.option("--scale", help="Only full or quick studies."),
)


def filter_options(function: F) -> F:
    """Which results a command is about, named as :class:`hfcbench.results.queries.where.Where`."""
    for option in reversed(_FILTERS):
        function = option(function)
    return function

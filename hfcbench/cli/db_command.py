"""`hfcbench db`: whole databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from hfcbench.cli.main import EXIT_FAILED
from hfcbench.cli.options import database_option
from hfcbench.cli.tables import printable
from hfcbench.errors import StoreError
from hfcbench.results.database.location import DatabaseLocation, parse_location

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TIMEOUT_SECONDS = 60.0
_SHOWN = 100


@click.group(short_help="Look after a results database.")
def command() -> None:
    """Check, upgrade, back up, compact, merge, export or import a results database."""


@command.command()
@database_option
def status(db: str) -> None:
    """Tell what a database is and holds; changes nothing."""
    from hfcbench.results.transfer.status import status_of

    found = status_of(_existing(db))
    click.echo(f"{found.place}: {found.size_bytes / 1e6:.1f} MB")
    verdict = "current" if found.revision == found.newest else f"this hfcbench: {found.newest}"
    click.echo(f"schema revision {found.revision or 'none'} ({verdict})")
    for table, rows in found.rows.items():
        click.echo(f"  {table}: {rows:,}")
    if found.unfinished_runs:
        click.echo(
            f"{found.unfinished_runs} runs were started and not finished: going on or killed"
        )


@command.command()
@database_option
def upgrade(db: str) -> None:
    """Bring an older database to this hfcbench's schema, after a copy of the file."""
    from hfcbench.results.database.migrating import create_or_upgrade
    from hfcbench.results.transfer.status import status_of

    location = _existing(db)
    before = status_of(location)
    copy = create_or_upgrade(location, busy_timeout_seconds=_TIMEOUT_SECONDS)
    if before.revision == before.newest:
        click.echo(f"{location} has schema revision {before.newest} already")
        return
    click.echo(f"{location}: schema revision {before.revision} -> {before.newest}")
    if copy is not None:
        click.echo(f"as it was: {copy}")


@command.command()
@database_option
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Hash the files of trainings in this folder too.",
)
def check(db: str, artifacts: Path | None) -> int:
    """Find what contradicts itself; exit code 1 if there is anything.

    Every identity is held against its specification, every accuracy against its predictions, and
    every reference against what it points to.
    """
    from hfcbench.results.transfer.check import check as problems_of

    location = _existing(db)
    count = 0
    with _connection(location, read_only=True) as connection:
        for problem in problems_of(connection, artifacts):
            count += 1
            if count <= _SHOWN:
                click.echo(printable(str(problem)))
    click.echo(f"{location}: {count or 'no'} problems" if count != 1 else f"{location}: 1 problem")
    return EXIT_FAILED if count else 0


@command.command()
@click.argument("target", type=click.Path(path_type=Path))
@database_option
def backup(target: Path, db: str) -> None:
    """Copy a database to a new file, also while others write to it."""
    from hfcbench.results.transfer.backup import back_up_to

    size = back_up_to(parse_location(db), target)
    click.echo(f"{target}: {size / 1e6:.1f} MB")


@command.command()
@database_option
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The copy's file."
)
@click.option(
    "--without",
    multiple=True,
    metavar="PART",
    help="Leave out curves, analyses, failures or disagreements; may be repeated.",
)
@click.option(
    "--digits",
    type=click.IntRange(min=1),
    help="Significant digits of the confidence and loss of single images; boxes are then kept to "
    "1/64 pixel. Default: all.",
)
def compact(db: str, out: Path, without: tuple[str, ...], digits: int | None) -> None:
    """Write a copy that is fit to be published: small, one file, silent about machines.

    Names of hosts go, and of absolute paths all but the last part. Identities, scores and predicted
    classes are kept exactly; the original is left as it is.
    """
    from hfcbench.results.transfer.compacting import compact as compact_to

    done = compact_to(_existing(db), out, without=without, digits=digits)
    for table, rows in done.dropped.items():
        click.echo(f"left out: {rows:,} rows of {table}")
    for column, texts in done.changed.items():
        click.echo(f"names of machines and paths taken out: {column}, {texts} texts")
    click.echo(f"{out}: {done.size_before / 1e6:.1f} -> {done.size_after / 1e6:.1f} MB")


@command.command()
@click.argument("sources", nargs=-1, required=True)
@database_option
def merge(sources: tuple[str, ...], db: str) -> None:
    """Add what other databases have. Where results differ, both are kept and it is said.

    The results of --db stay; another result of the same identity goes to the table disagreements.
    """
    from hfcbench.results.transfer.merge import merge as merge_into

    target = parse_location(db)
    for source in sources:
        report = merge_into(target, _existing(source))
        added = ", ".join(f"{count} {table}" for table, count in report.added.items()) or "nothing"
        known = ", ".join(f"{count} {table}" for table, count in report.known.items()) or "nothing"
        click.echo(f"{source}: added {added}; known already: {known}")
        for line in report.disagreements[:_SHOWN]:
            click.echo(f"disagrees: {printable(line)}")
        if len(report.disagreements) > _SHOWN:
            click.echo(f"... and {len(report.disagreements) - _SHOWN} more")


@command.command(name="export")
@click.argument("folder", type=click.Path(path_type=Path))
@database_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("parquet", "csv")),
    default="parquet",
    show_default=True,
    help="Of the files.",
)
def export_command(folder: Path, db: str, file_format: Literal["parquet", "csv"]) -> None:
    """Write every table to a file of its own."""
    from hfcbench.results.transfer.exporting import export
    from hfcbench.results.transfer.reading import reading

    with reading(_existing(db)) as connection:
        rows = export(connection, folder, file_format)
    click.echo(f"{folder}: {sum(rows.values()):,} rows of {len(rows)} tables")


@command.command(name="import")
@click.argument("folder", type=click.Path(path_type=Path))
@database_option
def import_command(folder: Path, db: str) -> None:
    """Read an export back into a new database, exactly as it was."""
    from hfcbench.results.database.engine import writing
    from hfcbench.results.database.explanations import explained
    from hfcbench.results.database.readiness import ready_engine
    from hfcbench.results.transfer.importing import import_, verify

    location = parse_location(db)
    # Before a database is made for it.
    manifest = verify(folder)
    engine = ready_engine(
        location, create=True, read_only=False, busy_timeout_seconds=_TIMEOUT_SECONDS
    )
    try:
        with explained(location), writing(engine).begin() as connection:
            rows = import_(connection, folder, manifest)
    finally:
        engine.dispose()
    click.echo(f"{location}: {sum(rows.values()):,} rows of {len(rows)} tables")


def _existing(db: str) -> DatabaseLocation:
    location = parse_location(db)
    if location.path is not None and not location.path.is_file():
        raise StoreError(f"there is no results database at {location}", hint="name it with --db")
    return location


@contextmanager
def _connection(location: DatabaseLocation, *, read_only: bool) -> Iterator[Connection]:
    from hfcbench.results.database.explanations import explained
    from hfcbench.results.database.readiness import ready_engine

    engine = ready_engine(
        location, create=False, read_only=read_only, busy_timeout_seconds=_TIMEOUT_SECONDS
    )
    try:
        with explained(location), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()

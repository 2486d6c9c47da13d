"""`python -m hfcbench.published_results`: the pages on a published database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hfcbench.cli.options import database_option
from hfcbench.errors import HfcbenchError


@click.command()
@database_option
@click.option(
    "--out",
    default="docs/results",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the pages; made if it is missing. It holds nothing else.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if a file has drifted.")
def command(db: str, out: Path, check: bool) -> int:
    """Make the pages and pictures of the published results from a database alone."""
    from hfcbench.plugins import load_plugins
    from hfcbench.published_results.building import build, drifted, write
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        outputs = build(store, load_plugins().registry)
        if not check:
            for path in write(outputs, out):
                click.echo(path)
            return 0
    found = drifted(outputs, out)
    for line in found:
        click.echo(line, err=True)
    if found:
        click.echo(
            f"make them again: python -m hfcbench.published_results --db {db} --out {out}", err=True
        )
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    """Run the command; errors are one message."""
    try:
        result = command.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except HfcbenchError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

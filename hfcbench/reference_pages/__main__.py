"""`python -m hfcbench.reference_pages`: write the pages, or say which differ from the code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hfcbench.reference_pages.pages import FOLDER, drifted, write


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where a page is not as the code.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="The folder of the pages.",
)
def command(check: bool, out: Path) -> int:
    """Write the reference pages of the documentation from the code."""
    if not check:
        for path in write(out):
            click.echo(path)
        return 0
    names = drifted(out)
    for name in names:
        click.echo(f"error: {out / name} is not what the code says", err=True)
    if names:
        click.echo("`python -m hfcbench.reference_pages` writes them anew", err=True)
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(command(standalone_mode=False))

"""`hfcbench list KIND`: names, parameters with defaults, and one line about each."""

from __future__ import annotations

import click

from hfcbench.cli.tables import print_table
from hfcbench.plugins import load_plugins
from hfcbench.references import KINDS, Kind, plural
from hfcbench.registry import Registration

_KINDS: dict[str, Kind] = {plural(kind): kind for kind in KINDS}


@click.command(short_help="List what plugins provide.")
@click.argument("kind", type=click.Choice([*_KINDS]))
def command(kind: str) -> None:
    """List everything of a KIND that plugins provide, with its parameters and defaults."""
    rows = [
        (
            _name(registration),
            _parameters(registration),
            registration.description,
            f"{registration.origin.distribution} {registration.origin.version}",
        )
        for registration in load_plugins().registry.all(_KINDS[kind])
    ]
    print_table(("name", "parameters", "description", "from"), rows)


def _name(registration: Registration) -> str:
    if registration.argument is None:
        return registration.name
    separator = "/" if registration.kind == "model" else ":"
    return f"{registration.name}{separator}{registration.argument.upper()}"


def _parameters(registration: Registration) -> str:
    return "\n".join(
        f"{parameter.name}: {parameter.type}"
        + ("" if parameter.default is None else f" = {parameter.default}")
        for parameter in registration.schema.describe()
    )

"""`hfcbench plugins`: what is installed, what it provides, what failed; and new ones."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from hfcbench.cli.tables import print_table
from hfcbench.plugins import LoadedPlugin, Plugins, load_plugins
from hfcbench.scaffolding.templates import TEMPLATES


@click.group(short_help="Show the plugins, or make a new one.", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int | None:
    """Show the plugins, what they provide, and what failed to load and why."""
    if context.invoked_subcommand is not None:
        return None
    plugins = load_plugins()
    rows = [
        (plugin.origin.plugin, plugin.origin.distribution, plugin.origin.version, _provides(plugin))
        for plugin in plugins.loaded
    ]
    columns = ("plugin", "distribution", "version", "provides")
    print_table(columns, rows, least=("version", "distribution"))
    return _show_failures(plugins, debug=bool(context.obj))


@command.command()
@click.argument("kind", type=click.Choice([*TEMPLATES]))
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to put it into; by default the working folder.",
)
def new(kind: str, name: str, out: Path) -> None:
    """Write a complete plugin: the distribution hfcbench-NAME, which provides a KIND called NAME.

    It installs, has tests that pass, and does something: change what it does.
    """
    from hfcbench.scaffolding import plan_distribution

    distribution = plan_distribution(kind, name)
    folder = distribution.write(out)
    for path in sorted(distribution.files):
        click.echo(f"  {path}")
    click.echo(f"{folder} is a {kind.replace('-', ' ')} '{name}'; next:")
    click.echo(f"  pip install -e '{folder}[test]'\n  python -m pytest {folder}")


def _provides(plugin: LoadedPlugin) -> str:
    kinds = groupby(plugin.provides, key=lambda pair: pair[0])
    named = [f"{kind} " + ", ".join(name for _, name in pairs) for kind, pairs in kinds]
    return "; ".join(named) or "observers only"


def _show_failures(plugins: Plugins, *, debug: bool) -> int:
    for failed in plugins.failed:
        click.echo(f"failed: {failed.origin}: {failed.reason}", err=True)
        if debug:
            click.echo(failed.traceback, err=True)
    return 1 if plugins.failed else 0

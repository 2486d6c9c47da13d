"""`hfcbench plugins`: what is installed, what it provides, what failed."""

from __future__ import annotations

from itertools import groupby

import click

from hfcbench.cli.console import plain_console
from hfcbench.plugins import LoadedPlugin, Plugins, load_plugins


@click.command(short_help="Show the plugins.")
@click.pass_context
def command(context: click.Context) -> int:
    """Show the plugins, what they provide, and what failed to load and why."""
    from rich.table import Table

    plugins = load_plugins()
    table = Table("plugin", "distribution", "version", "provides", box=None, pad_edge=False)
    for plugin in plugins.loaded:
        origin = plugin.origin
        table.add_row(origin.plugin, origin.distribution, origin.version, _provides(plugin))
    console = plain_console()
    console.print(table)
    return _show_failures(plugins, debug=bool(context.obj))


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

"""The parameters of the chosen executor as options of a command: ``--executor ray --address auto``.

Executors come from plugins, so which options there are is known once `--executor` has been read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import click

from hfcbench.plugins import load_plugins
from hfcbench.references import parse_label
from hfcbench.registry import Registration

_FLAG = "--executor"
# Keeps the executor's parameters apart from what the command itself is given.
_PREFIX = "executor_parameter_"


class ExecutorCommand(click.Command):
    """A command with an option `--executor`, which adds what that executor declares."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        chosen = _chosen(args)
        if chosen is not None:
            name, _ = parse_label(chosen)
            taken = {option for param in super().get_params(ctx) for option in param.opts}
            registry = load_plugins().registry
            # A shell that asks what could come next takes no messages.
            if not ctx.resilient_parsing or registry.find("executor", name) is not None:
                ctx.meta[_PREFIX] = _options(registry.get("executor", name), taken)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *ctx.meta.get(_PREFIX, ())]


def take_executor_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Take what the executor is given out of a command's options."""
    names = [name for name in options if name.startswith(_PREFIX)]
    values = {name.removeprefix(_PREFIX): options.pop(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _chosen(args: Sequence[str]) -> str | None:
    """The executor that the command line names last, as the option itself will be read."""
    chosen = None
    for position, arg in enumerate(args):
        if arg == "--":
            break
        if arg == _FLAG and position + 1 < len(args):
            chosen = args[position + 1]
        elif arg.startswith(f"{_FLAG}="):
            chosen = arg.partition("=")[2]
    return chosen


def _options(registration: Registration, taken: Collection[str]) -> list[click.Option]:
    """One option for each parameter, but for those whose name the command has itself."""
    options = []
    for parameter in registration.schema.describe():
        flag = "--" + parameter.name.replace("_", "-")
        if flag not in taken:
            default = "" if parameter.default is None else f", by default {parameter.default}"
            text = f"Of executor '{registration.name}': {parameter.type}{default}."
            options.append(click.Option([_PREFIX + parameter.name, flag], help=text))
    return options

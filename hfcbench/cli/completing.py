"""What a shell may offer for an option or argument; asked for at every press of TAB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from hfcbench.references import KINDS, Kind

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]

_ALSO: Mapping[str, tuple[str, ...]] = {"defence": ("none",), "heuristic": ("vanilla",)}
"""What stands for nothing of a kind."""


def files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Any file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def names_of(kind: Kind) -> Completer:
    """The names that plugins register of a kind, each with what it is."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from hfcbench.plugins import load_plugins

        found = {one.name: one.description for one in load_plugins().registry.all(kind)}
        found |= dict.fromkeys(_ALSO.get(kind, ()), "nothing")
        return [
            CompletionItem(name, help=description.partition("\n")[0])
            for name, description in found.items()
            if name.startswith(incomplete)
        ]

    return complete


def names_for(option: str) -> Completer | None:
    """The names that the option called after a kind takes; None for any other option."""
    return next((names_of(kind) for kind in KINDS if kind == option), None)


def suites(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names of suites, and files, which suites can be too."""
    # In bash a file takes away what was offered before it.
    return [
        *files(context, parameter, incomplete),
        *names_of("suite")(context, parameter, incomplete),
    ]

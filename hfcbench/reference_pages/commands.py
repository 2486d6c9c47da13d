"""The page on the command line: every command, argument, option and default."""

from __future__ import annotations

from collections.abc import Iterator

import click

from hfcbench.cli.main import program
from hfcbench.reference_pages.markdown import code, page, prose, table


def commands_page() -> str:
    """`cli.md`, from the commands as click knows them."""
    introduction = (
        "Every command answers `--help` with the same. Commands that print tables to a file or a "
        "pipe print no colours. [Errors and exit codes](errors.md)"
    )
    own = f"Before the command: {', '.join(_names(each) for each in program.params)}."
    sections = [_section(name, command) for name, command in _commands(program, "hfcbench")]
    return page("Commands", introduction, [prose(program.help or ""), own, *sections])


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            yield f"{path} {name}", command
            if isinstance(command, click.Group):
                yield from _commands(command, f"{path} {name}")


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [f"## {name}", code(usage), prose(command.help or "")]
    shown = [each for each in command.params if not getattr(each, "hidden", False)]
    if shown:
        head = ("argument or option", "value", "default", "meaning")
        parts.append(table(head, [_row(each) for each in shown]))
    return "\n\n".join(parts)


def _row(parameter: click.Parameter) -> tuple[str, str, str, str]:
    meaning = prose(getattr(parameter, "help", None) or "")
    if parameter.multiple and "repeated" not in meaning:
        meaning += " May be repeated."
    return _names(parameter), _value(parameter), _default(parameter), meaning


def _names(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        name = parameter.metavar or (parameter.name or "").upper()
        return code(name) + ("" if parameter.required else ", may be left out")
    return ", ".join(map(code, (*parameter.opts, *parameter.secondary_opts)))


def _value(parameter: click.Parameter) -> str:
    kind = parameter.type
    if getattr(parameter, "is_flag", False):
        return ""
    if isinstance(kind, click.Choice):
        return ", ".join(code(str(choice)) for choice in kind.choices)
    if isinstance(kind, click.Path):
        return "a folder" if not kind.file_okay else "a file"
    if isinstance(kind, click.IntRange | click.FloatRange):
        number = "whole number" if isinstance(kind, click.IntRange) else "number"
        low = (
            ""
            if kind.min is None
            else f", {'more than' if kind.min_open else 'at least'} {kind.min}"
        )
        high = (
            ""
            if kind.max is None
            else f", {'less than' if kind.max_open else 'at most'} {kind.max}"
        )
        return f"{number}{low}{high}"
    if isinstance(parameter, click.Option) and parameter.metavar:
        return code(parameter.metavar)
    return {"integer": "whole number", "float": "number"}.get(kind.name, "text")


def _default(parameter: click.Parameter) -> str:
    if getattr(parameter, "required", False):
        return "must be said"
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return shown
    # What click calls the default of an option without one differs between its versions.
    default = parameter.to_info_dict().get("default")
    if default is None or default is False or parameter.multiple:
        return ""
    return code(str(default))

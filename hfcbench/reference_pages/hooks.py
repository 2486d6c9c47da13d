"""The page on hooks: what plugins implement, and what they are handed."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from hfcbench.hookspecs import HookSpecifications, Register, RegisterSuite
from hfcbench.reference_pages.docstrings import description_of
from hfcbench.reference_pages.markdown import code, page, prose, table


def hooks_page() -> str:
    """`hooks.md`, from the specifications that pluggy calls."""
    hooks = {
        name: function
        for name, function in vars(HookSpecifications).items()
        if name.startswith("hfcbench_")
    }
    rows = [
        (code(_signature(name, each)), prose(each.__doc__ or "")) for name, each in hooks.items()
    ]
    introduction = (
        "A plugin is a module or object that an entry point of the group `hfcbench` names; its "
        "hooks are functions of these names with the mark `@hfcbench.hookimpl`. Hooks that "
        "register only declare: they download, run and write nothing. "
        "[How to write a plugin](../plugins.md)"
    )
    sections = [
        table(("hook", "is for"), rows),
        _declaring("What registers everything but suites", Register),
        _declaring("What registers suites", RegisterSuite),
    ]
    return page("Hooks", introduction, sections)


def _signature(name: str, function: Callable[..., object]) -> str:
    arguments = [each for each in inspect.signature(function).parameters if each != "self"]
    return f"{name}({', '.join(arguments)})"


def _declaring(title: str, protocol: type) -> str:
    call = protocol.__call__
    signature = inspect.signature(call)
    described = description_of(call)
    rows = [
        (
            code(name),
            code(str(parameter.annotation)),
            "" if parameter.default is parameter.empty else code(repr(parameter.default)),
            prose(described.attributes.get(name, "")),
        )
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    shown = ", ".join(each for each in signature.parameters if each != "self")
    head = ("parameter", "type", "default", "meaning")
    return "\n\n".join(
        [f"## {title}", code(f"register({shown})"), prose(described.text), table(head, rows)]
    )

"""The page on what hfcbench itself ships: every registration with its parameters."""

from __future__ import annotations

from hfcbench.parameters import ParameterInfo
from hfcbench.plugins import load_plugins
from hfcbench.reference_pages.docstrings import Description, description_of
from hfcbench.reference_pages.markdown import code, page, prose, table
from hfcbench.references import KINDS, Kind, plural
from hfcbench.registry import Registration


def built_ins_page() -> str:
    """`built-ins.md`, from the built-in plugins alone, whatever else is installed."""
    registry = load_plugins(installed=()).registry
    sections = [_kind(kind, registry.all(kind)) for kind in KINDS]
    introduction = (
        "What suites and the command line can name without any further plugin; `hfcbench list "
        "KIND` has what is installed besides, too. A version is part of every identity: it changes "
        "whenever results would."
    )
    return page("Built-ins", introduction, sections)


def _kind(kind: Kind, registrations: list[Registration]) -> str:
    title = f"## {plural(kind).capitalize()}"
    if kind == "suite":
        rows = [(code(each.name), each.version, prose(each.description)) for each in registrations]
        return f"{title}\n\n{table(('suite', 'version', 'is about'), rows)}"
    return "\n\n".join([title, *map(_registration, registrations)])


def _registration(registration: Registration) -> str:
    described = description_of(registration.factory)
    parts = [f"### {registration.name}", _text(registration, described)]
    if registration.argument is not None:
        separator = "/" if registration.kind == "model" else ":"
        written = f"{registration.name}{separator}{registration.argument.upper()}"
        parts.append(f"`{registration.argument}` may be written inline: `{written}`.")
    parameters = registration.schema.describe()
    if parameters:
        head = ("parameter", "type", "default", "meaning")
        parts.append(table(head, [_parameter(each, described) for each in parameters]))
    return "\n\n".join(parts)


def _text(registration: Registration, described: Description) -> str:
    """The docstring, or the description where that is another one; and the version."""
    first = described.text.partition("\n")[0]
    text = described.text if first == registration.description else registration.description
    return f"{prose(text)} Version {registration.version}."


def _parameter(parameter: ParameterInfo, described: Description) -> tuple[str, str, str, str]:
    return (
        code(parameter.name),
        prose(parameter.type),
        "must be said" if parameter.default is None else code(parameter.default),
        prose(described.attributes.get(parameter.name, "")),
    )

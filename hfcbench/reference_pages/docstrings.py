"""What a class's docstring says of its attributes, those of its bases included."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):\s*$", re.M)
_ENTRY = re.compile(r"^    ([a-z]\w*(?:, [a-z]\w*)*): ", re.M)


@dataclass(frozen=True)
class Description:
    """A docstring taken apart.

    Attributes:
        text: what stands before the first section.
        attributes: what is said of each attribute, by name.
    """

    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def description_of(factory: Callable[..., object]) -> Description:
    """The docstring of a class, with attributes of its bases, or that of a function."""
    attributes: dict[str, str] = {}
    owners = inspect.getmro(factory) if inspect.isclass(factory) else (factory,)
    for owner in reversed(owners):
        attributes |= _attributes(owner.__doc__ or "")
    return Description(_sections(factory.__doc__ or "")[""], attributes)


def _sections(docstring: str) -> dict[str, str]:
    """The text of each section by its heading; the empty heading is what stands before."""
    parts = _SECTION.split(inspect.cleandoc(docstring))
    return {"": parts[0].strip(), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def _attributes(docstring: str) -> dict[str, str]:
    sections = _sections(docstring)
    parts = _ENTRY.split(sections.get("Attributes", "") + sections.get("Args", ""))
    return {
        name: text.strip()
        for names, text in zip(parts[1::2], parts[2::2], strict=True)
        for name in names.split(", ")
    }

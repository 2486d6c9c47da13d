"""Markdown of the generated pages: prose of docstrings, and tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_CODE = re.compile(r"(`[^`]*`)")


def prose(text: str) -> str:
    """A docstring, or a part of one, as Markdown; paragraphs stay apart, lines are joined.

    References such as ``:class:`hfcbench.types.Dataset``` become code, and what Markdown would take
    for its own signs stays what it is.
    """
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in map(_escaped, paragraphs))


def _escaped(text: str) -> str:
    text = _ROLE.sub(r"`\1`", text).replace("``", "`")
    pieces = _CODE.split(text)
    return "".join(
        piece if place % 2 else re.sub(r"([*\\]|<(?=[A-Za-z/!]))", r"\\\1", piece)
        for place, piece in enumerate(pieces)
    )


def code(text: str) -> str:
    """Text as code, or nothing where there is none."""
    return f"`{text}`" if text else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(title: str, introduction: str, sections: Iterable[str]) -> str:
    """A whole page, which says where it comes from."""
    note = "Written from the code by `python -m hfcbench.reference_pages`, not by hand."
    return "\n\n".join([f"# {title}", introduction, note, *sections]) + "\n"

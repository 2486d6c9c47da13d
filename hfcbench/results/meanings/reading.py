"""Reading the meanings, which lie beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml


def column_meanings() -> Mapping[str, str]:
    """By column, or by ``table.column`` where a table means something else by it; Markdown."""
    return _read("columns.yaml")


def view_meanings() -> Mapping[str, str]:
    """What a row of each view is; Markdown."""
    return _read("views.yaml")


def meaning_of_column(owner: str, name: str) -> str:
    """What a column of a table or view means.

    Raises:
        KeyError: nobody has written it down.
    """
    meanings = column_meanings()
    return meanings.get(f"{owner}.{name}") or meanings[name]


@cache
def _read(name: str) -> Mapping[str, str]:
    text = (files("hfcbench.results.meanings") / name).read_text(encoding="utf-8")
    read: dict[str, str] = yaml.safe_load(text)
    return read

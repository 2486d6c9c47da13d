"""The ready queries: each an SQL file of this package with its name, title and description."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

_HEADINGS = ("name", "title", "description")


@dataclass(frozen=True)
class ReadyQuery:
    """A reading SQL statement; what stands there as ``:NAME`` is asked for, and may be empty.

    Attributes:
        name: what links to it are called.
    """

    name: str
    title: str
    description: str
    sql: str


def ready_queries() -> list[ReadyQuery]:
    """The leaderboard and the ten questions, in the order of their files' names."""
    folder = files("hfcbench.serving") / "queries"
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return [_read(file.read_text("utf-8")) for file in found if file.name.endswith(".sql")]


def _read(text: str) -> ReadyQuery:
    """Take the headings, the lines ``-- title: ...`` at the beginning, from the statement."""
    lines = text.splitlines()
    headings = [line.removeprefix("-- ").partition(": ") for line in lines[: len(_HEADINGS)]]
    if tuple(heading for heading, _, _ in headings) != _HEADINGS:
        raise ValueError(f"a query begins with the lines {_HEADINGS}, not with {lines[:3]}")
    name, title, description = (value for _, _, value in headings)
    return ReadyQuery(name, title, description, "\n".join(lines[len(_HEADINGS) :]))

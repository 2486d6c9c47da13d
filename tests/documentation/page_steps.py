"""What a page of the documentation tells its readers to do, in its order: files and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

PAGES = tuple(
    sorted(
        path
        for pattern in ("README.md", "docs/**/*.md", "plugins/*/README.md")
        for path in ROOT.glob(pattern)
        # Written from the code, without anything to be typed.
        if path.parent.name != "reference"
    )
)

PROGRAMS = ("hfcbench", "sqlite3", "pip", "python", "make", "ray")
"""What begins a line that is to be typed; other lines of a block are no commands."""

_FENCE = re.compile(r"^```(\w*)(?: +title=\"([^\"]+)\")?\s*$")
_SHELLS = ("console", "bash", "sh")
_COMMAND = re.compile(rf"(?:^|\s)((?:{'|'.join(PROGRAMS)})\s.*)")


@dataclass(frozen=True)
class FileText:
    """A block with a title: a file that the reader is to write."""

    path: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command line with single spaces, and what the page shows of its output."""

    text: str
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title if it has one, and its text."""

    language: str
    title: str
    text: str


def label(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fenced_blocks(page: Path) -> list[Block]:
    return [
        piece for piece in _pieces(page.read_text(encoding="utf-8")) if isinstance(piece, Block)
    ]


def steps(page: Path) -> list[FileText | Command]:
    """Files and commands of a page, in its order."""
    found: list[FileText | Command] = []
    for piece in _pieces(page.read_text(encoding="utf-8")):
        if isinstance(piece, str):
            found += _commands([piece])
        elif piece.title:
            found.append(FileText(piece.title, piece.text))
        elif piece.language in _SHELLS:
            found += _commands(piece.text.splitlines())
    return found


def _pieces(text: str) -> Iterator[Block | str]:
    """Fenced blocks, and each indented line with what continues it."""
    lines = iter(text.splitlines())
    for line in lines:
        fence = _FENCE.match(line)
        if fence:
            inside = []
            for each in lines:
                if each.rstrip() == "```":
                    break
                inside.append(each)
            yield Block(fence[1], fence[2] or "", "\n".join(inside) + "\n")
        elif line.startswith("    "):
            yield _continued(line.strip(), lines)


def _continued(line: str, lines: Iterator[str]) -> str:
    while line.endswith("\\"):
        line = line[:-1].rstrip() + " " + next(lines).strip()
    return line


def _commands(lines: list[str]) -> list[Command]:
    """Commands with their outputs: where lines begin with ``$``, the others are output."""
    rest = iter(lines)
    marked = any(line.startswith("$ ") for line in lines)
    found: list[Command] = []
    for line in rest:
        if marked and not line.startswith("$ "):
            last = found.pop()
            found.append(Command(last.text, (*last.output, line)))
            continue
        whole = _continued(line.strip().removeprefix("$ "), rest)
        match = _COMMAND.search(re.split(r"(?:^|\s+)#", whole)[0])
        if match:
            found.append(Command(" ".join(match[1].split())))
    return found

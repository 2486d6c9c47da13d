"""Pages and pictures: what the published results are shown as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AGAIN = "python -m hfcbench.published_results --db results.db --out docs/results"


@dataclass(frozen=True)
class Page:
    """A file of Markdown.

    Attributes:
        file: its name, such as ``claims.md``.
        heading: its title.
        body: paragraphs, tables and headings of the second level and below.
    """

    file: str
    heading: str
    body: str

    @property
    def text(self) -> str:
        """All of the file."""
        says = f"Generated from the published database by `{AGAIN}`; not to be edited."
        return f"# {self.heading}\n\n{says}\n\n{self.body.strip()}\n"


@dataclass(frozen=True)
class Picture:
    """A figure in a PNG file.

    Attributes:
        draw: makes it.
        numbers: what is drawn, as text: the file keeps its hash, since equal figures need not be
            equal bytes under another version of the program that draws them.
    """

    file: str
    draw: Callable[[], Figure]
    numbers: str


def paragraphs(*parts: str) -> str:
    """Parts of a page with an empty line between each; empty parts are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part)


def commands(lines: Sequence[str]) -> str:
    """Command lines as a block that can be copied, each once."""
    return "\n".join(f"    {line}" for line in dict.fromkeys(lines))


def count(number: int, what: str) -> str:
    """``1 seed``, ``3 seeds``, ``1,000 images``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def span(low: int, high: int) -> str:
    """``3``, or ``3 to 10``, with commas."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

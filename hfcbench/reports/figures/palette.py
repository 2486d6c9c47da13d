"""Colours that colour-blind readers can tell apart, each with a marker and a line of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Okabe and Ito, "Color Universal Design", 2008. Yellow is left out: it is too pale for lines.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "|||")


@dataclass(frozen=True)
class Look:
    """How one series looks wherever it appears."""

    colour: str
    marker: str
    line: str
    hollow: bool = False

    def plotting(self) -> dict[str, Any]:
        """Keyword arguments of ``Axes.plot`` and ``Axes.errorbar``."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "markersize": 4.5,
            "markerfacecolor": "white" if self.hollow else self.colour,
        }


def look(position: int) -> Look:
    """The look of the series at a position; the first 28 differ in more than their colour."""
    return Look(
        COLOURS[position % len(COLOURS)],
        MARKERS[position % len(MARKERS)],
        LINES[(position + position // len(COLOURS)) % len(LINES)],
        hollow=position // len(COLOURS) % 2 == 1,
    )


def hatch(position: int) -> str:
    """The hatch of the bars at a position."""
    return HATCHES[position % len(HATCHES)]


def component_looks(components: Sequence[tuple[str, str, float]]) -> dict[str, Look]:
    """Looks of image components: colour and marker say where it is cut, the line which part.

    Args:
        components: label, part (``original``, ``lfc``, ``hfc``) and cutoff of each.
    """
    cutoffs = sorted({cutoff for _, part, cutoff in components if part != "original"})
    looks = {}
    for label, part, cutoff in components:
        if part == "original":
            looks[label] = Look(BLACK, "", "-")
            continue
        position = cutoffs.index(cutoff)
        colours = COLOURS[:-1]
        looks[label] = Look(
            colours[position % len(colours)],
            MARKERS[position % len(MARKERS)],
            "-" if part == "lfc" else "--",
            hollow=part != "lfc",
        )
    return looks

"""Rows of images beside their low- and high-frequency components."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.reports.figures.class_names import name_of
from hfcbench.reports.figures.drawing import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_ACROSS = 4
_NAMES = ("original", "LFC", "HFC + 0.5")


@dataclass(frozen=True)
class Triple:
    """An image and its components, and what was predicted for each.

    Attributes:
        images: original, LFC and HFC, each ``(C,H,W)``; drawn from 0 to 1.
        label: class number.
        answers: predicted class numbers, ``(3,)``.
        confidences: in [0,1], ``(3,)``.
    """

    images: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
    label: int
    answers: Sequence[int]
    confidences: Sequence[float]


def draw_triples(
    lines: Mapping[str, Sequence[Triple]], classes: Sequence[str], *, title: str, footnote: str
) -> Figure:
    """Four triples a line; each kind begins a new line, under its name.

    Args:
        classes: short names in the order of class numbers; a class without one is its number.
    """
    held = {name: triples for name, triples in lines.items() if triples}
    across = min(_ACROSS, max(len(triples) for triples in held.values()))
    heights = [math.ceil(len(triples) / across) for triples in held.values()]
    size = (max(2.75 * across, 6.0), 1.3 * sum(heights) + 0.3 * len(heights) + 0.7)
    figure = new_figure(*size, title, footnote)
    parts = np.asarray(figure.subfigures(len(held), 1, height_ratios=heights, squeeze=False)).flat
    for part, (name, triples), high in zip(parts, held.items(), heights, strict=True):
        part.suptitle(name, fontsize=9, fontweight="bold", x=0.01, ha="left")
        blocks = np.asarray(part.subfigures(high, across, squeeze=False))
        for block, triple in zip(blocks.flat, triples, strict=False):
            _draw_triple(block.subplots(1, 3), triple, classes)
    return figure


def _draw_triple(row: NDArray[Any], triple: Triple, classes: Sequence[str]) -> None:
    panel: Axes
    for place, panel in enumerate(row):
        pixels = np.clip(triple.images[place], 0, 1)
        coloured = pixels.shape[0] == 3
        shown = pixels.transpose(1, 2, 0) if coloured else pixels.mean(axis=0)
        panel.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        panel.set_xticks([])
        panel.set_yticks([])
        panel.grid(visible=False)
        panel.spines[:].set_visible(False)
        panel.set_title(_NAMES[place], fontsize=7, pad=2)
        answer, confidence = int(triple.answers[place]), float(triple.confidences[place])
        # Bold where it is right: not a matter of colour.
        weight = "bold" if answer == triple.label else "normal"
        said = f"{name_of(classes, answer)}\n{confidence:.0%}"
        panel.set_xlabel(said, fontsize=7, fontweight=weight)
    row[0].set_ylabel(f"label\n{name_of(classes, triple.label)}", fontsize=7)

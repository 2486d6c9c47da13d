"""Rows of views of pictures, with the boxes that a detector drew on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from hfcbench.reports.figures.class_names import name_of
from hfcbench.reports.figures.drawing import DOTS_PER_INCH, new_figure
from hfcbench.reports.figures.label_places import place_labels
from hfcbench.reports.figures.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from numpy.typing import NDArray

_PANEL_INCHES = 2.9
_MOST_CHARACTERS = 32
_LABEL_POINTS = 6
_LABEL_PAD = 0.8
_DASHES = (0, (2.5, 1.5))


@dataclass(frozen=True, eq=False)
class View:
    """A view of a picture and D detections in it, best first.

    Attributes:
        title: of its column.
        pixels: ``(3,H,W)``; drawn from 0 to 1.
        boxes: ``(D,4)`` left, top, right and bottom edge in pixels.
        scores, classes: ``(D,)``.
        right: ``(D,)`` bool, which of them find an object.
        caption: stands below.
    """

    title: str
    pixels: NDArray[np.float32]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    right: NDArray[np.bool_]
    caption: str


@dataclass(frozen=True, eq=False)
class Example:
    """A picture's views, and the ``(K,4)`` boxes of what is to be found in it."""

    name: str
    views: Sequence[View]
    objects: NDArray[np.float32]


def draw_boxes(
    examples: Sequence[Example], names: Sequence[str], *, title: str, footnote: str
) -> Figure:
    """A row for each picture, a column for each view; detections with class and score.

    Args:
        examples: with as many views each.
        names: short names in the order of class numbers.
    """
    across = max(len(example.views) for example in examples)
    heights = [_PANEL_INCHES * _shape(example) for example in examples]
    size = (_PANEL_INCHES * across + 0.5, sum(heights) + 0.32 * len(heights) + 1.2)
    figure = new_figure(*size, title, footnote)
    # Labels are measured at the resolution of the PNG.
    figure.set_dpi(DOTS_PER_INCH)
    grid = figure.subplots(len(examples), across, squeeze=False, height_ratios=heights)
    colours = _colours(examples)
    for row, example in zip(grid, examples, strict=True):
        for panel, view in zip(row, example.views, strict=False):
            _draw_view(panel, view)
            _draw_objects(panel, example.objects)
            _draw_detections(panel, view, colours)
        row[0].set_ylabel(_cut(example.name), fontsize=7)
    for panel, view in zip(grid[0], examples[0].views, strict=True):
        panel.set_title(view.title, pad=3)
    # Panels have their size only after this, and labels depend on it.
    figure.draw_without_rendering()
    for row, example in zip(grid, examples, strict=True):
        for panel, view in zip(row, example.views, strict=False):
            _draw_labels(panel, view, names, colours)
    return figure


def _shape(example: Example) -> float:
    """Height over width, of portraits 1: they stand in a square."""
    _, height, width = example.views[0].pixels.shape
    return float(min(1.0, height / width))


def _colours(examples: Sequence[Example]) -> Mapping[int, str]:
    """A colour for each class, in order of appearance; more than there are begin again."""
    numbers = [view.classes.tolist() for example in examples for view in example.views]
    found = dict.fromkeys(number for some in numbers for number in some)
    return {number: COLOURS[place % len(COLOURS)] for place, number in enumerate(found)}


def _draw_view(panel: Axes, view: View) -> None:
    panel.imshow(np.clip(view.pixels, 0, 1).transpose(1, 2, 0), extent=_extent(view))
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.set_xlabel(view.caption, fontsize=7, labelpad=2)


def _extent(view: View) -> tuple[float, float, float, float]:
    """A picture's edges lie at 0 and at its width and height, as boxes have it."""
    _, height, width = view.pixels.shape
    return (0, width, height, 0)


def _draw_objects(panel: Axes, objects: NDArray[np.float32]) -> None:
    for box in objects:
        _add_box(panel, box, "white", width=0.7, halo=("black", 1.5), zorder=2)


def _draw_detections(panel: Axes, view: View, colours: Mapping[int, str]) -> None:
    # The best one last, so that it lies on top.
    for place in reversed(range(len(view.scores))):
        style: Any = "-" if view.right[place] else _DASHES
        colour = colours[int(view.classes[place])]
        _add_box(
            panel, view.boxes[place], colour, width=1.4, halo=("white", 2.2), style=style, zorder=3
        )


def _add_box(
    panel: Axes,
    box: NDArray[np.float32],
    colour: str,
    *,
    width: float,
    halo: tuple[str, float],
    zorder: int,
    style: Any = "-",
) -> None:
    left, top, right, bottom = box.tolist()
    patch = Rectangle(
        (left, top),
        right - left,
        bottom - top,
        fill=False,
        edgecolor=colour,
        linewidth=width,
        linestyle=style,
        zorder=zorder,
        path_effects=[withStroke(linewidth=halo[1], foreground=halo[0])],
    )
    panel.add_patch(patch)


def _draw_labels(panel: Axes, view: View, names: Sequence[str], colours: Mapping[int, str]) -> None:
    labels = [
        _label(panel, f"{name_of(names, int(number))} {score:.2f}", colours[int(number)])
        for number, score in zip(view.classes, view.scores, strict=True)
    ]
    _, height, width = view.pixels.shape
    places = place_labels(view.boxes, [_size(panel, label) for label in labels], width, height)
    pad = _pad(panel)
    for label, (left, top) in zip(labels, places, strict=True):
        label.set_position((left + pad, top + pad))


def _label(panel: Axes, text: str, colour: str) -> Text:
    label = panel.text(
        0,
        0,
        text,
        fontsize=_LABEL_POINTS,
        color=_ink(colour),
        va="top",
        ha="left",
        zorder=4,
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": _LABEL_PAD, "alpha": 0.9},
    )
    label.set_in_layout(False)
    return label


def _size(panel: Axes, label: Text) -> tuple[float, float]:
    """Width and height with the frame around it, in pixels of the picture."""
    drawn = label.get_window_extent()
    per_dot = _pixels_per_dot(panel)
    pad = 2 * _pad(panel)
    return drawn.width * per_dot + pad, drawn.height * per_dot + pad


def _pad(panel: Axes) -> float:
    return _LABEL_PAD * DOTS_PER_INCH / 72 * _pixels_per_dot(panel)


def _pixels_per_dot(panel: Axes) -> float:
    left, right = panel.get_xlim()
    return float((right - left) / panel.get_window_extent().width)


def _ink(colour: str) -> str:
    """Black or white, whichever stands out more: by relative luminance."""
    red, green, blue = (part**2.2 for part in to_rgb(colour))
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 else "white"


def _cut(name: str) -> str:
    """The end of a name tells pictures apart."""
    return name if len(name) <= _MOST_CHARACTERS else "…" + name[1 - _MOST_CHARACTERS :]

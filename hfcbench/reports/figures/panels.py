"""Grids of panels that show accuracy per epoch, one line per image component."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hfcbench.reports.figures.drawing import new_figure, panel_title
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.palette import Look, component_looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

ACCURACY = "accuracy (share of images)"
EPOCH = "epoch (passes over the training set)"
_MOST_COLUMNS = 5


def draw_panels(rows: DataFrame, *, down: str, across: str, title: str, footnote: str) -> Figure:
    """Accuracy against epoch: a row of panels per value of ``down``, a column per ``across``.

    More than five columns continue below.

    Args:
        rows: of ``Study.curves``, metric top1, of one figure.
    """
    ups, columns = list(dict.fromkeys(rows[down])), list(dict.fromkeys(rows[across]))
    blocks = math.ceil(len(columns) / _MOST_COLUMNS)
    wide = math.ceil(len(columns) / blocks)
    high = len(ups) * blocks
    figure = new_figure(2.5 * wide + 1.6, 2.15 * high + 1.1, title, footnote)
    axes = figure.subplots(high, wide, squeeze=False, sharey=True)
    looks = looks_of(rows)
    for place, column in enumerate(columns):
        block, x = divmod(place, wide)
        for y, up in enumerate(ups):
            panel: Axes = axes[block * len(ups) + y, x]
            _draw_lines(panel, rows[(rows[down] == up) & (rows[across] == column)], looks)
            panel.set_title(panel_title(str(column), str(up)))
    for spare in range(len(columns), blocks * wide):
        for y in range(len(ups)):
            axes[(blocks - 1) * len(ups) + y, spare % wide].set_axis_off()
    for line in axes:
        line[0].set_ylabel(ACCURACY)
    for x in range(wide):
        lowest = [panel for panel in axes[:, x] if panel.axison][-1]
        lowest.set_xlabel(EPOCH if len(columns) == 1 else "epoch")
    _add_legend(figure, looks)
    return figure


def looks_of(rows: DataFrame) -> dict[str, Look]:
    """The look of each component that the rows have; the original first, then by cutoff."""
    known = rows[["part", "cutoff", "component"]].drop_duplicates("component")
    order = {"original": 0, "lfc": 1, "hfc": 2}
    found = sorted(
        ((order.get(part, 3), float(cutoff), label, part) for part, cutoff, label in known.values),
        key=lambda entry: (entry[0], 0.0 if math.isnan(entry[1]) else entry[1], entry[2]),
    )
    return component_looks([(label, part, cutoff) for _, cutoff, label, part in found])


def _draw_lines(panel: Axes, rows: DataFrame, looks: dict[str, Look]) -> None:
    panel.set_ylim(0, 1)
    if rows.empty:
        panel.text(0.5, 0.5, "missing", ha="center", va="center", transform=panel.transAxes)
        return
    points = summarise(rows, ["component", "epoch"]).sort_values("epoch")
    last = int(points["epoch"].max())
    for label, look in looks.items():
        line = points[points["component"] == label]
        if line.empty:
            continue
        epochs = line["epoch"].to_numpy()
        panel.fill_between(
            epochs, line["low"], line["high"], color=look.colour, alpha=0.15, linewidth=0
        )
        style = look.plotting() | {"markevery": max(1, len(line) // 6)}
        panel.plot(epochs, line["value"], label=label, **style)
    panel.set_xlim(min(1, last - 1), last + 0.02 * last)
    panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def _add_legend(figure: Figure, looks: dict[str, Look]) -> None:
    handles = [Line2D([], [], label=label, **look.plotting()) for label, look in looks.items()]
    figure.legend(
        handles=handles, loc="outside right center", title="images shown", handlelength=3.2
    )

"""Average precision against the radius at which components are cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from matplotlib.transforms import Affine2DBase, ScaledTranslation, Transform

from hfcbench.reports.figures.bars import error_bars
from hfcbench.reports.figures.drawing import new_figure, panel_title
from hfcbench.reports.figures.palette import BLACK, BLUE, COLOURS, VERMILION, Look, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

_MOST_COLUMNS = 4
_MOST_TICKS = 8
_POINTS_APART = 5
_LOGARITHMIC_FROM = 6
"""Cutoffs that span a larger factor are drawn on a logarithmic axis."""
_ORIGINAL = Look(BLACK, "", "-.")
_PARTS = {"lfc": Look(BLUE, "o", "-"), "hfc": Look(VERMILION, "s", "--", hollow=True)}


def draw_radii(
    panels: Sequence[tuple[str, DataFrame]], *, axis: str, title: str, footnote: str
) -> Figure:
    """A panel per detector: a line per part with 95% intervals, the original as a line and a band.

    Args:
        panels: titles with columns ``part``, ``cutoff`` and an estimate of mAP.
        axis: what a cutoff is.
    """
    across = min(_MOST_COLUMNS, len(panels))
    high = math.ceil(len(panels) / across)
    figure = new_figure(2.9 * across + 1.5, 2.6 * high + 1.1, title, footnote)
    grid = figure.subplots(high, across, squeeze=False, sharex=True, sharey=True)
    found = [points for _, points in panels]
    for panel, (name, points) in zip(grid.flat, panels, strict=False):
        _draw(panel, points, found, figure.dpi_scale_trans)
        panel.set_title(panel_title(name))
    for spare in grid.flat[len(panels) :]:
        spare.set_axis_off()
    for x in range(across):
        lowest = [panel for panel in grid[:, x] if panel.axison][-1]
        lowest.set_xlabel(axis)
        lowest.tick_params(labelbottom=True)
    for row in grid:
        row[0].set_ylabel("mAP")
    _scale(grid[0, 0], found)
    looks = {_name(part): _look(part, found) for part in _parts(found)}
    handles = [Line2D([], [], label=name, **one.plotting()) for name, one in looks.items()]
    figure.legend(handles=handles, loc="outside right center", handlelength=3.2)
    return figure


def _draw(panel: Axes, points: DataFrame, found: Sequence[DataFrame], inches: Affine2DBase) -> None:
    for part, line in points.groupby("part", sort=False):
        style = _look(str(part), found)
        if part == "original":
            row = line.iloc[0]
            panel.axhline(row["value"], color=style.colour, linestyle=style.line, linewidth=1.0)
            panel.axhspan(row["low"], row["high"], color=style.colour, alpha=0.1, linewidth=0)
            continue
        line = line.sort_values("cutoff")
        panel.errorbar(
            *(line["cutoff"], line["value"]),
            yerr=error_bars(line),
            capsize=2.5,
            # Side by side, so that intervals at one cutoff can be told apart.
            transform=panel.transData + _aside(str(part), found, inches),
            **style.plotting(),
        )


def _aside(part: str, found: Sequence[DataFrame], inches: Affine2DBase) -> Transform:
    parts = [name for name in _parts(found) if name != "original"]
    points = _POINTS_APART * (parts.index(part) - (len(parts) - 1) / 2)
    return ScaledTranslation(points / 72, 0, inches)


def _scale(panel: Axes, found: Sequence[DataFrame]) -> None:
    """Both axes, which all panels share: from 0 to a little above the highest interval."""
    highest = max(float(points[["value", "high"]].max().max()) for points in found)
    panel.set_ylim(0, min(1.0, 1.1 * highest) if highest > 0 else 1.0)
    cutoffs = sorted({float(cutoff) for points in found for cutoff in points["cutoff"].dropna()})
    if not cutoffs:
        panel.xaxis.set_major_locator(NullLocator())
        return
    if cutoffs[0] > 0 and cutoffs[-1] / cutoffs[0] > _LOGARITHMIC_FROM:
        panel.set_xscale("log", base=2)
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlim(cutoffs[0] / 1.25, cutoffs[-1] * 1.25)
    else:
        reach = 0.12 * (cutoffs[-1] - cutoffs[0]) or 0.5 * abs(cutoffs[0]) or 1.0
        panel.set_xlim(cutoffs[0] - reach, cutoffs[-1] + reach)
    if len(cutoffs) <= _MOST_TICKS:
        panel.set_xticks(cutoffs, [f"{cutoff:g}" for cutoff in cutoffs])


def _parts(found: Sequence[DataFrame]) -> list[str]:
    return list(dict.fromkeys(str(part) for points in found for part in points["part"]))


def _name(part: str) -> str:
    return part.upper() if part in _PARTS else part


def _look(part: str, found: Sequence[DataFrame]) -> Look:
    if part == "original":
        return _ORIGINAL
    others = [name for name in _parts(found) if name not in _PARTS and name != "original"]
    # Behind the colours of LFC and HFC.
    return _PARTS[part] if part in _PARTS else look((2 + others.index(part)) % len(COLOURS))

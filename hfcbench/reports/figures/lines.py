"""Quantities along one axis, one line per condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.reports.figures.drawing import new_figure
from hfcbench.reports.figures.palette import look
from hfcbench.reports.figures.selection import mixed_note
from hfcbench.reports.figures.subjects import Condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hfcbench.quantities import Quantity


def band_note(shown: Sequence[Condition], name: str) -> str:
    """What the bands of :func:`draw_lines` are, for a footnote; empty where there are none."""
    averages = [condition.average(name) for condition in shown]
    if not any(one is not None and one.low is not None for one in averages):
        return ""
    seeds = [len(condition.members) for condition in shown]
    return "bands: 95% " + mixed_note(min(seeds), max(seeds), "interval as measured")


def draw_lines(
    shown: Sequence[Condition],
    name: str,
    *,
    labels: tuple[str, str],
    title: str,
    footnote: str,
    top: float | None = 1.0,
) -> Figure | None:
    """The quantity of each condition against its axis, with 95% bands; None if none has it.

    Args:
        name: a quantity with one axis.
        labels: of the x and of the y axis.
        top: where the y axis ends; None leaves it to the values. It begins at 0.
    """
    held = [(condition, condition.average(name)) for condition in shown]
    lines = [
        (condition.label, quantity)
        for condition, quantity in held
        if quantity is not None and len(quantity.axes) == 1
    ]
    if not lines:
        return None
    longest = max(len(label) for label, _ in lines)
    size = (5.4 + 0.068 * longest, max(3.4, 0.2 * len(lines) + 1.4))
    figure = new_figure(*size, title, footnote)
    axes = figure.subplots()
    for position, (label, quantity) in enumerate(lines):
        _draw_line(axes, label, quantity, position)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set_ylim(0, top)
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right center", handlelength=3.2)
    return figure


def _draw_line(axes: Axes, label: str, quantity: Quantity, position: int) -> None:
    style = look(position)
    x = quantity.axes[0].values
    every = max(1, len(x) // 8)
    axes.plot(x, quantity.values, label=label, markevery=every, **style.plotting())
    if quantity.low is not None and quantity.high is not None:
        axes.fill_between(
            x, quantity.low, quantity.high, color=style.colour, alpha=0.15, linewidth=0
        )

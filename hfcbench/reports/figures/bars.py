"""Grouped bars, and accuracy against the strength of an attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hfcbench.reports.figures.conditions import CLEAN
from hfcbench.reports.figures.drawing import new_figure, panel_title
from hfcbench.reports.figures.palette import COLOURS, hatch, look
from hfcbench.reports.figures.panels import ACCURACY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pandas import DataFrame


def draw_bars(
    found: DataFrame,
    *,
    place: str,
    kind: str,
    labels: tuple[str, str],
    title: str,
    footnote: str,
    top: float | None = 1.0,
) -> Figure:
    """Bars with 95% intervals, the kinds side by side at each place.

    Args:
        found: columns ``place``, ``kind``, ``value``, ``low``, ``high``; values in [0,1].
        labels: of the x and of the y axis.
        top: where the y axis ends; None leaves it to the values. It begins at 0.
    """
    places, kinds = list(dict.fromkeys(found[place])), list(dict.fromkeys(found[kind]))
    longest = max(len(str(name)) for name in places)
    inches = max(0.35 * len(kinds) + 0.35, 0.075 * longest + 0.1)
    figure = new_figure(max(5.5, inches * len(places) + 2.2), 4.0, title, footnote)
    axes = figure.subplots()
    width = 0.8 / len(kinds)
    for position, name in enumerate(kinds):
        rows = found[found[kind] == name].set_index(place).reindex(places)
        at = np.arange(len(places)) + (position - (len(kinds) - 1) / 2) * width
        _draw_kind(axes, at, rows, width * 0.92, position, str(name))
    axes.set_xticks(range(len(places)), list(map(str, places)))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set_ylim(0, top)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure


def _draw_kind(
    axes: Axes, at: NDArray[Any], rows: DataFrame, width: float, position: int, name: str
) -> None:
    axes.bar(
        at,
        rows["value"],
        width,
        label=name,
        color=COLOURS[position % len(COLOURS)],
        hatch=hatch(position),
        edgecolor="white",
        linewidth=0,
    )
    axes.errorbar(at, rows["value"], yerr=error_bars(rows), fmt="none", ecolor="black", capsize=3)


def draw_epsilons(found: DataFrame, *, title: str, footnote: str) -> Figure:
    """Accuracy against epsilon: a column of panels per attack, a row per heuristic, rhos as lines.

    Args:
        found: columns ``heuristics``, ``rho``, ``attack``, ``epsilon``, ``condition`` and an
            estimate. Clean accuracy is drawn at epsilon 0 of every attack.
    """
    attacks = list(dict.fromkeys(found.loc[found["condition"] != CLEAN, "attack"]))
    heuristics = list(dict.fromkeys(found["heuristics"]))
    rhos = sorted(found["rho"].unique())
    size = (2.9 * len(attacks) + 1.6, 2.4 * len(heuristics) + 1.2)
    figure = new_figure(*size, title, footnote)
    grid = figure.subplots(len(heuristics), len(attacks), squeeze=False, sharex=True, sharey=True)
    for row, name in zip(grid, heuristics, strict=True):
        own = found[found["heuristics"] == name]
        for panel, attack in zip(row, attacks, strict=True):
            shown = own[(own["attack"] == attack) | (own["condition"] == CLEAN)]
            _draw_lines(panel, shown, rhos)
            panel.set_title(panel_title(str(name), str(attack)))
        row[0].set_ylabel(ACCURACY)
    for panel in grid[-1]:
        panel.set_xlabel("epsilon (L∞, pixels in [0,1])")
    handles: dict[str, Any] = {}
    for panel in grid.flat:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    ordered = [f"rho {rho:g}" for rho in rhos if f"rho {rho:g}" in handles]
    figure.legend(
        [handles[label] for label in ordered],
        ordered,
        loc="outside right center",
        title="smoothing",
        handlelength=3.2,
    )
    return figure


def _draw_lines(panel: Axes, shown: DataFrame, rhos: list[float]) -> None:
    panel.set_ylim(0, 1)
    for position, rho in enumerate(rhos):
        line = shown[shown["rho"] == rho]
        line = line.assign(epsilon=line["epsilon"].fillna(0.0)).sort_values("epsilon")
        if len(line):
            style = look(position).plotting()
            label = f"rho {rho:g}"
            panel.errorbar(
                line["epsilon"],
                line["value"],
                yerr=error_bars(line),
                label=label,
                capsize=2,
                **style,
            )


def error_bars(rows: DataFrame, name: str = "value", start: str = "") -> Any:
    """Lengths below and above each value, ``(2,N)``; 0 where there is no interval.

    Args:
        name: column of the value.
        start: what the bounds' columns begin with: ``clean_`` for ``clean_low``.
    """
    below = rows[name] - rows[f"{start}low"]
    above = rows[f"{start}high"] - rows[name]
    lengths = pd.concat([below, above], axis=1).to_numpy(float).T
    # Rounding may put a bound a hair inside of the value.
    return np.clip(np.nan_to_num(lengths), 0, None)

"""Sensitivity to single frequencies and bands, and where attacks put their energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.reports.figures.drawing import (
    Drawing,
    TableOutput,
    file_name,
    house_style,
    new_figure,
    panel_title,
)
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.lines import band_note, draw_lines
from hfcbench.reports.figures.selection import interval_note, measured, nothing_to_draw
from hfcbench.reports.figures.subjects import Condition, by_dataset, conditions_footnote, scalars
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hfcbench.quantities import Axis, Quantity

Outputs = list[Drawing | TableOutput]
_MOST_COLUMNS = 4
_RADIUS = "radius (frequency bins from DC)"


def fourier(study: Study) -> Outputs:
    """Fourier heat maps, critical bands and spectra of perturbations: whichever there are."""
    outputs: Outputs = []
    there = {entry.analysis_name for entry in study.quantities}
    for name, analysis in _ANALYSES.items():
        if name not in there:
            continue
        held = by_dataset(measured(study, name))
        for dataset, shown in held.items():
            suffix = dataset if len(held) > 1 else ""
            outputs += analysis(study, shown, suffix)
            outputs += _table(study, shown, file_name(name, suffix))
    if not outputs:
        raise nothing_to_draw(study, "heat maps, critical bands or perturbation spectra")
    return outputs


def _heat_maps(study: Study, shown: list[Condition], suffix: str) -> Outputs:
    error = "error rate (share)"
    lines = _lines(
        study,
        shown,
        "error-by-radius",
        file_name("fourier-error-by-radius", suffix),
        ("Error under noise of one frequency", "error rate (share of images)"),
    )
    return [*_maps(study, shown, "error", "fourier-heat-map", suffix, error), *lines]


def _critical_bands(study: Study, shown: list[Condition], suffix: str) -> Outputs:
    return _maps(study, shown, "top1", "critical-band", suffix, "accuracy (share)")


def _perturbations(study: Study, shown: list[Condition], suffix: str) -> Outputs:
    return _lines(
        study,
        shown,
        "energy-share",
        file_name("perturbation-spectrum", suffix),
        ("Where adversarial perturbations have their energy", "energy (share of the whole)"),
        top=None,
    )


def _lines(
    study: Study,
    shown: list[Condition],
    name: str,
    stem: str,
    texts: tuple[str, str],
    *,
    top: float | None = 1.0,
) -> Outputs:
    title, label = texts
    with house_style():
        figure = draw_lines(
            shown,
            name,
            labels=(_RADIUS, label),
            title=f"{title} ({shown[0].about.dataset})",
            footnote=conditions_footnote(study, shown, band_note(shown, name)),
            top=top,
        )
    return [Drawing(stem, figure)] if figure else []


def _table(study: Study, shown: list[Condition], stem: str) -> Outputs:
    rows = scalars([member for condition in shown for member in condition.members])
    if rows.empty:
        return []
    by = ["model", "heuristics", "trained_on", "analysis", "defence", "attack", "epsilon"]
    table = summarise(rows, [*by, "name", "unit"], proportions=False)
    table = table.rename(columns={"low": "value_low", "high": "value_high"})
    note = conditions_footnote(study, shown, interval_note(rows, "interval over images"))
    return [TableOutput(stem, table, note)]


def _maps(
    study: Study, shown: list[Condition], name: str, stem: str, suffix: str, label: str
) -> Outputs:
    held = [(one.label, one.average(name)) for one in shown]
    maps = [(title, found) for title, found in held if found and len(found.axes) == 2]
    if not maps:
        return []
    title = {"error": "Fourier heat maps", "top1": "Accuracy under noise of one frequency band"}
    note = conditions_footnote(study, shown)
    with house_style():
        text = f"{title[name]} ({shown[0].about.dataset})"
        figure = _draw_maps(maps, label, text, note)
    return [Drawing(file_name(stem, suffix), figure)]


def _draw_maps(
    maps: Sequence[tuple[str, Quantity]], label: str, title: str, footnote: str
) -> Figure:
    wide = min(len(maps), _MOST_COLUMNS)
    high = math.ceil(len(maps) / wide)
    figure = new_figure(max(2.7 * wide + 1.0, 5.0), 2.7 * high + 1.0, title, footnote)
    grid = figure.subplots(high, wide, squeeze=False)
    for panel, (name, quantity) in zip(grid.flat, maps, strict=False):
        image = panel.imshow(
            np.asarray(quantity.values, float),
            cmap="viridis",
            vmin=0,
            vmax=1,
            origin="lower",
            interpolation="nearest",
            aspect="auto",
        )
        panel.set_box_aspect(1)
        panel.set_title(panel_title(name))
        panel.grid(visible=False)
        down, across = quantity.axes
        _name_positions(panel, "x", across)
        _name_positions(panel, "y", down)
    for spare in list(grid.flat)[len(maps) :]:
        spare.set_axis_off()
    figure.colorbar(image, ax=grid, label=label, shrink=0.9)
    return figure


def _name_positions(panel: Axes, side: str, axis: Axis) -> None:
    """Ticks at some positions, zero among them, with the values that they stand for."""
    count = len(axis.values)
    step = 2 ** max(0, math.ceil(math.log2(max(count, 1) / 7)))
    start = axis.values.index(0) % step if 0 in axis.values else 0
    places = range(start, count, step)
    texts = [f"{axis.values[place]:.3g}" for place in places]
    text = axis.name.replace("-", " ") + (f" ({axis.unit})" if axis.unit else "")
    if side == "x":
        panel.set_xticks(places, texts)
        panel.set_xlabel(text)
    else:
        panel.set_yticks(places, texts)
        panel.set_ylabel(text)


_ANALYSES = {
    "fourier-heat-map": _heat_maps,
    "critical-band": _critical_bands,
    "perturbation-spectrum": _perturbations,
}

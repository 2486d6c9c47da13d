"""First-layer kernels and how smooth they are: figure 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.reports.figures.drawing import (
    Drawing,
    TableOutput,
    file_name,
    house_style,
    new_figure,
)
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.lines import band_note, draw_lines
from hfcbench.reports.figures.selection import interval_note, measured, nothing_to_draw
from hfcbench.reports.figures.subjects import Condition, by_dataset, conditions_footnote, scalars
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

ANALYSIS = "first-layer-kernels"
_MOST_FILTERS = 16
_MOST_CHANNELS = 4


def fig7(study: Study) -> list[Drawing | TableOutput]:
    """The first filters of each model, their spectra, and their share of high frequencies.

    Filters are those of the first seed that there is.
    """
    held = by_dataset(measured(study, ANALYSIS))
    outputs: list[Drawing | TableOutput] = []
    for dataset, shown in held.items():
        suffix = dataset if len(held) > 1 else ""
        with_kernels = [one for one in shown if "kernels" in one.members[0].quantities]
        if with_kernels:
            first = [Condition(one.label, one.members[:1]) for one in with_kernels]
            what = f"first {_MOST_FILTERS} filters, up to {_MOST_CHANNELS} input channels"
            note = conditions_footnote(study, first, what, "grey scale per model, 0 is mid-grey")
            with house_style():
                figure = _draw(first, f"Kernels of the first convolution ({dataset})", note)
            outputs.append(Drawing(file_name("fig7", suffix), figure))
        outputs += _spectra(study, shown, dataset, suffix)
        outputs += _table(study, shown, suffix)
    if not outputs:
        raise nothing_to_draw(study, "kernels")
    return outputs


def _spectra(study: Study, shown: list[Condition], dataset: str, suffix: str) -> list[Drawing]:
    with house_style():
        figure = draw_lines(
            shown,
            "spectral-energy-beyond",
            labels=(
                "relative frequency (share of the highest)",
                "kernel energy beyond it (share)",
            ),
            title=f"Energy of first-layer kernels beyond a frequency ({dataset})",
            footnote=conditions_footnote(study, shown, band_note(shown, "spectral-energy-beyond")),
        )
    return [Drawing(file_name("fig7-spectra", suffix), figure)] if figure else []


def _table(study: Study, shown: list[Condition], suffix: str) -> list[TableOutput]:
    rows = scalars([member for condition in shown for member in condition.members])
    if rows.empty:
        return []
    by = ["model", "heuristics", "trained_on", "analysis", "defence", "name"]
    table = summarise(rows, by, proportions=False)
    table = table.rename(columns={"low": "value_low", "high": "value_high"})
    note = conditions_footnote(study, shown, interval_note(rows, "interval over kernels"))
    return [TableOutput(file_name("fig7", suffix), table, note)]


def _draw(shown: list[Condition], title: str, footnote: str) -> Figure:
    held = [np.asarray(one.members[0].quantities["kernels"].values, float) for one in shown]
    tiles = [mosaic(kernels[:_MOST_FILTERS, :_MOST_CHANNELS]) for kernels in held]
    heights = [0.5 * min(kernels.shape[1], _MOST_CHANNELS) + 0.5 for kernels in held]
    figure = new_figure(9.0, sum(heights) + 1.0, title, footnote)
    grid = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)
    for panel, one, kernels, tile in zip(grid[:, 0], shown, held, tiles, strict=True):
        _draw_mosaic(panel, tile, kernels.shape)
        panel.set_title(one.label)
    grid[-1, 0].set_xlabel("filter (output channel)")
    return figure


def _draw_mosaic(panel: Axes, tile: NDArray[Any], shape: tuple[int, ...]) -> None:
    finite = np.abs(tile[np.isfinite(tile)])
    largest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    image = panel.imshow(tile, cmap="gray", vmin=-largest, vmax=largest, interpolation="nearest")
    filters, channels = min(shape[0], _MOST_FILTERS), min(shape[1], _MOST_CHANNELS)
    high, wide = shape[2] + 1, shape[3] + 1
    panel.set_xticks(np.arange(filters) * wide + (wide - 2) / 2, _numbers(filters))
    panel.set_yticks(np.arange(channels) * high + (high - 2) / 2, _numbers(channels))
    panel.set_ylabel("channel")
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    bar = panel.figure.colorbar(image, ax=panel, fraction=0.02, pad=0.01)
    bar.set_label("weight")


def _numbers(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def mosaic(kernels: NDArray[Any]) -> NDArray[Any]:
    """Kernels ``(O,I,kH,kW)`` side by side with gaps of NaN: filters across, channels down."""
    padded = np.pad(kernels, [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    filters, channels, high, wide = padded.shape
    # (O,I,kH,kW) -> (I,kH,O,kW)
    return padded.transpose(1, 2, 0, 3).reshape(channels * high, filters * wide)[:-1, :-1]

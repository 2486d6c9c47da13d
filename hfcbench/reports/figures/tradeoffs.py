"""Whether the most accurate model is the most robust one (corollary 1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hfcbench.reports.figures.bars import error_bars
from hfcbench.reports.figures.conditions import CLEAN, accuracies_on_test, condition_order
from hfcbench.reports.figures.drawing import (
    Drawing,
    TableOutput,
    file_name,
    house_style,
    new_figure,
    panel_title,
)
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.fronts import WHO, front_table, point_names
from hfcbench.reports.figures.palette import BLACK, look
from hfcbench.reports.figures.robust_rows import (
    WORST_CASE,
    lfc_note,
    lfc_rows,
    with_worst_cases,
)
from hfcbench.reports.figures.selection import groups, interval_note, required, rows_footnote
from hfcbench.reports.figures.tables import OF_SCORES
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

_MOST_COLUMNS = 3


def tradeoff(study: Study) -> list[Drawing | TableOutput]:
    """Clean against robust accuracy of each model, with those that none beats in both.

    Robust accuracy is the worst case over all attacks, image by image, and beside it that under
    each attack alone.
    """
    alone = accuracies_on_test(study)
    required(study, alone[alone["condition"] != CLEAN], "accuracies under attack")
    rows, every_lfc = with_worst_cases(study, alone), lfc_rows(study)
    outputs: list[Drawing | TableOutput] = []
    for group in groups(study, rows, ["model", "heuristics", "trained_on"]):
        stem = file_name("tradeoff", group.suffix)
        found = summarise(group.rows, [*WHO, "condition", "attack", "epsilon"])
        lfc = every_lfc[every_lfc["training"].isin(group.rows["training"])]
        attacked = _attacked(found)
        if not attacked:
            continue
        table = front_table(found, attacked, lfc)
        if table.empty:
            continue
        note = _note(study, group.rows, lfc)
        with house_style():
            figure = _draw(table, f"Accuracy and robust accuracy ({group.title})", note)
        outputs += [Drawing(stem, figure), TableOutput(stem, table, note)]
    if not outputs:
        required(study, rows[:0], "models with both clean accuracy and accuracy under attack")
    return outputs


def _attacked(found: DataFrame) -> list[str]:
    """The conditions of robust accuracy: worst cases first, which are what the paper means."""
    worst = set(found.loc[found["attack"] == WORST_CASE, "condition"])
    names = [name for name in condition_order(found) if name != CLEAN]
    return sorted(names, key=lambda name: name not in worst)


def _note(study: Study, rows: DataFrame, lfc: DataFrame) -> str:
    front = "front: no other is at least as good in both and better in one"
    worst = "worst case: right when clean and under each of these attacks, image by image"
    has_worst = (rows["attack"] == WORST_CASE).any()
    says = [front, lfc_note(lfc), worst if has_worst else "", interval_note(rows, OF_SCORES)]
    return rows_footnote(study, rows, *says)


def _draw(table: DataFrame, title: str, footnote: str) -> Figure:
    named = table.assign(name=point_names(table, WHO))
    conditions = list(dict.fromkeys(named["condition"]))
    looks = {name: look(position) for position, name in enumerate(dict.fromkeys(named["name"]))}
    wide = min(len(conditions), _MOST_COLUMNS)
    high = math.ceil(len(conditions) / wide)
    beside = 1.2 + 0.065 * max(map(len, looks))
    figure = new_figure(
        2.6 * wide + beside, max(2.6 * high, 0.2 * len(looks)) + 1.2, title, footnote
    )
    grid = figure.subplots(high, wide, squeeze=False, sharex=True, sharey=True)
    handles: dict[str, Any] = {}
    for panel, condition in zip(grid.flat, conditions, strict=False):
        handles |= _draw_points(panel, named[named["condition"] == condition], looks)
        panel.set_title(panel_title(condition))
    for spare in list(grid.flat)[len(conditions) :]:
        spare.set_axis_off()
    figure.legend(handles.values(), handles.keys(), loc="outside right center")
    for row in grid:
        row[0].set_ylabel("robust accuracy (share of images)")
    for column in grid.T:
        lowest = [panel for panel in column if panel.axison][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel("clean accuracy (share of images)")
    return figure


def _draw_points(panel: Axes, points: DataFrame, looks: dict[str, Any]) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    front = points[points["front"] == "yes"].sort_values(["clean", "robust"])
    (line,) = panel.plot(
        front["clean"], front["robust"], color="0.5", linestyle=":", marker="o", markersize=11,
        markerfacecolor="none", markeredgecolor=BLACK, markeredgewidth=0.8, zorder=1,
    )  # fmt: skip
    for name, look_of_it in looks.items():
        own = points[points["name"] == name]
        if len(own):
            handles[name] = panel.errorbar(
                own["clean"],
                own["robust"],
                xerr=error_bars(own, "clean", "clean_"),
                yerr=error_bars(own, "robust", "robust_"),
                capsize=2,
                **look_of_it.plotting() | {"linestyle": "none"},
            )
    panel.set_ylim(0, 1)
    return handles | {"Pareto front": line}

"""Clean against robust accuracy of every model of a database, a panel per group that compares."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from hfcbench.errors import UsageError
from hfcbench.reports.figures.bars import error_bars
from hfcbench.reports.figures.drawing import house_style, new_figure
from hfcbench.reports.figures.fronts import point_names
from hfcbench.reports.figures.palette import BLACK, VERMILION
from hfcbench.reports.figures.selection import mixed_note
from hfcbench.results.queries.conditions import strength

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from hfcbench.results.queries.tradeoff import Tradeoff

MOST_GROUPS = 8
_MOST_NAMED = 15
_TITLE_CHARACTERS = 75
_WHO = ("model", "heuristics", "trained_on", "defence", "seed")
_USUAL = ("original", "none")
# Grows lighter steadily, in grey and for colour-blind readers, too (Nuñez et al., 2018).
_COLOURS = "cividis"
_RING: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "none", "markeredgecolor": BLACK}
_FRONT: dict[str, Any] = {"marker": "o", "markersize": 11, "markeredgewidth": 1.0} | _RING
_LINE: dict[str, Any] = {"color": "0.4", "linestyle": "--", "linewidth": 1.0}
_THREE_WAY: dict[str, Any] = {"marker": "s", "markersize": 13, "markeredgewidth": 0.7} | _RING
_UNKNOWN: dict[str, Any] = {"marker": "o", "markersize": 5, "markeredgewidth": 0.5} | _RING
_DOUBTED: dict[str, Any] = {"marker": "x", "markersize": 8, "color": VERMILION, "linestyle": "none"}


def draw_tradeoff(found: Tradeoff) -> Figure:
    """A point per row, coloured by LFC accuracy, with 95% intervals and the fronts.

    Points on a front have numbers, and names beside the panel; where there are few, all have.

    Raises:
        UsageError: there are no rows, or more groups than panels.
    """
    named = [_named(part) for part in _groups(found.frame)]
    heights = [max(3.0, 0.175 * int(part["number"].max() + 4)) for part in named]
    numbered = [name for part in named for name in part.loc[part["number"] > 0, "name"]]
    beside = 0.6 + 0.065 * max([30, *map(len, numbered)])
    with house_style():
        figure = new_figure(
            5.4 + beside, sum(heights) + 1.7, "Accuracy and robust accuracy", _footnote(found)
        )
        panels = figure.subplots(
            len(named), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )[:, 0]
        low = found.frame["lfc"]
        shades = Normalize(low.min(), low.max())
        for panel, part in zip(panels, named, strict=True):
            _draw_group(panel, part, shades)
            panel.set_xlabel("clean accuracy (share of images)")
            panel.set_ylabel(
                f"robust accuracy, epsilon {strength(found.epsilon or 0.0)}\n(share of images)"
            )
        if found.low is not None and low.notna().any():
            label = f"accuracy on {found.low.component} (share of images)"
            figure.colorbar(
                _shading(shades), ax=list(panels), label=label, location="top", aspect=40
            )
    return figure


def _groups(frame: DataFrame) -> list[DataFrame]:
    groups = [part for _, part in frame.groupby("group")]
    if not groups:
        raise UsageError("there is nothing to draw: no model was seen both clean and attacked")
    if len(groups) > MOST_GROUPS:
        raise UsageError(
            f"there are {len(groups)} groups of models that compare, too many for one figure",
            hint="choose some of them, by --dataset, --scale, --model or --defence",
        )
    return groups


def _named(part: DataFrame) -> DataFrame:
    """Adds ``name``, and a ``number`` from 1 to what is named in the figure; 0 to the rest."""
    on_front = (part["front"] == "yes") | (part["three_way_front"] == "yes")
    wanted = on_front | (len(part) <= _MOST_NAMED)
    numbers = wanted.cumsum().where(wanted, 0)
    return part.assign(number=numbers, name=point_names(part, _WHO))


def _draw_group(panel: Axes, part: DataFrame, shades: Normalize) -> None:
    numbered = part[part["number"] > 0]
    panel.errorbar(
        numbered["clean"],
        numbered["robust"],
        xerr=error_bars(numbered, "clean", "clean_"),
        yerr=error_bars(numbered, "robust", "robust_"),
        fmt="none",
        ecolor="0.75",
        elinewidth=0.8,
        zorder=1,
    )
    unknown = part[part["lfc"].isna()]
    panel.scatter(unknown["clean"], unknown["robust"], 28, "white", edgecolors="0.3", zorder=3)
    known = part[part["lfc"].notna()]
    panel.scatter(
        known["clean"], known["robust"], 28, known["lfc"], norm=shades, cmap=_COLOURS,
        edgecolors="0.3", linewidths=0.5, zorder=3,
    )  # fmt: skip
    front = part[part["front"] == "yes"].sort_values(["clean", "robust"], ascending=[True, False])
    # Up to a model's accuracy, its robustness is to be had.
    panel.plot(
        front["clean"], front["robust"], drawstyle="steps-pre", zorder=2, **_LINE,
    )  # fmt: skip
    for rows, look in (
        (front, _FRONT),
        (part[part["three_way_front"] == "yes"], _THREE_WAY),
        (part[part["flags"] != ""], _DOUBTED),
    ):
        panel.plot(rows["clean"], rows["robust"], zorder=4, **look)
    top = min(1.0, 1.1 * max(0.1, *numbered["robust_high"], *part["robust"]))
    # Rings at 0 and 1 are whole.
    panel.set_ylim(-0.05 * top, 1.05 * top)
    panel.set_title("\n".join(textwrap.wrap(_title(part), _TITLE_CHARACTERS)), loc="left")
    _number(panel, numbered)
    _key(panel, part)


def _number(panel: Axes, named: DataFrame) -> None:
    """Numbers at the points; equal points share a place."""
    for (clean, robust), rows in named.groupby(["clean", "robust"]):
        panel.annotate(
            ", ".join(map(str, rows["number"])), (clean, robust), (6, 5),
            textcoords="offset points", fontsize=7, zorder=5,
        )  # fmt: skip


def _key(panel: Axes, part: DataFrame) -> None:
    """Beside the panel, what the signs in it mean and whose the numbers are."""
    signs = (
        ("front of clean and robust", part["front"] == "yes", _FRONT | _LINE),
        ("front of clean, LFC and robust", part["three_way_front"] == "yes", _THREE_WAY),
        ("robust accuracy in doubt", part["flags"] != "", _DOUBTED),
        ("LFC accuracy unknown", part["lfc"].isna(), _UNKNOWN),
    )
    entries = [(Line2D([], [], **look), label) for label, rows, look in signs if rows.any()]
    numbered = part[part["number"] > 0]
    entries += [
        (Line2D([], [], linestyle="none"), f"{number}  {name}")
        for number, name in zip(numbered["number"], numbered["name"], strict=True)
    ]
    panel.legend(
        [handle for handle, _ in entries], [label for _, label in entries], loc="upper left",
        bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=1.5,
    )  # fmt: skip


def _title(part: DataFrame) -> str:
    first = part.iloc[0]
    images = f"{first['n']} images of {first['dataset']} ({first['split']}, {first['scale']})"
    if first["n_attacked"] != first["n"]:
        images += f", {first['n_attacked']} of them attacked"
    same = [str(first[name]) for name in _WHO[:4] if part[name].nunique() == 1]
    # An undefended model counts as having faced the modes that the others faced.
    attacks = max(part["attacked_by"], key=len)
    return "; ".join([images, *(name for name in same if name not in _USUAL), attacks])


def _shading(shades: Normalize) -> Any:
    from matplotlib.cm import ScalarMappable

    return ScalarMappable(shades, _COLOURS)


def _footnote(found: Tradeoff) -> str:
    says = [
        "robust: right when clean and under every attack within the L-infinity ball (epsilon in "
        "pixel units of [0,1]), image by image",
        "front: no other is at least as good in all and better in one",
    ]
    if found.low is not None:
        says.append(
            f"{found.low.component}: {found.low.decomposition}, rescaling {found.low.rescaling}"
        )
    seeds = found.frame.get("rows", [1])
    interval = mixed_note(min(seeds), max(seeds), "Wilson's interval")
    return "; ".join([*says, f"bars: 95% {interval}"])

"""Charts of one training: its curves, scores against the radius, and by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.reports.site.board_charts import COLOUR_OF_PART
from hfcbench.reports.site.chart_tables import series_table
from hfcbench.reports.site.elements import Chart, Series
from hfcbench.reports.site.wording import count_text, finite

if TYPE_CHECKING:
    import pandas as pd

_UNIT_METRICS = ("top1", "map")


def curve_charts(curves: pd.DataFrame) -> list[Chart]:
    """What was measured after each epoch, a chart per metric, what ranks models first."""
    metrics = sorted(
        set(curves["metric"]), key=lambda metric: (metric not in _UNIT_METRICS, metric)
    )
    return [_curve_chart(metric, curves[curves["metric"] == metric]) for metric in metrics]


def sweep_charts(scores: pd.DataFrame, metric: str) -> list[Chart]:
    """Scores on components against their radius or rank, a chart per way of cutting.

    Args:
        scores: of the metric, as ``Store.evaluations`` has them.
    """
    clean = scores[(scores["attack"] == "none") & (scores["defence"] == "none")]
    parts = clean[clean["cutoff"].notna() & clean["cutoff_inner"].isna()]
    ways = ["split", "n", "decomposition", "decomposition_version", "rescaling"]
    charts = []
    grouped: Any = parts.groupby(ways, sort=True, dropna=False)
    for place, ((split, n, decomposition, _, rescaling), rows) in enumerate(grouped):
        whole = clean[(clean["part"] == "original") & (clean["split"] == split) & (clean["n"] == n)]
        series = [*_part_series(rows), *_original_series(whole, rows)]
        title = f"{metric_name(metric)} against the cut-off"
        summary = (
            f"On the low (LFC) and high frequencies (HFC) that {decomposition} leaves at each "
            f"radius or rank; rescaling {rescaling}, {count_text(int(n), 'image')} of {split}."
        )
        charts.append(chart_of(f"sweep-{place}", title, summary, "radius or rank", metric, series))
    return charts


def class_chart(rows: pd.DataFrame, metric: str) -> Chart | None:
    """Scores of classes on the original and on components; None where there are none."""
    if rows.empty:
        return None
    series = []
    components = list(dict.fromkeys(rows["component"]))
    for component in components:
        line = rows[rows["component"] == component].sort_values("class_name")
        series.append(
            Series(
                str(component),
                tuple(map(str, line["class_name"])),
                tuple(finite(value) for value in line["value"]),
                _colour(str(line["part"].iloc[0]), components.index(component), components),
                tuple(finite(value) for value in line["low"]),
                tuple(finite(value) for value in line["high"]),
                points=True,
            )
        )
    summary = "What is found of each class in the original pictures and in their components."
    return chart_of("classes", f"{metric_name(metric)} by class", summary, "class", metric, series)


def _curve_chart(metric: str, rows: pd.DataFrame) -> Chart:
    components = list(dict.fromkeys(rows["component"]))
    several = len(rows[["decomposition", "rescaling"]].dropna().drop_duplicates()) > 1
    series = []
    keys = ["split", "component", "decomposition", "rescaling", "n"]
    for key, line in rows.groupby(keys, sort=False, dropna=False):
        split, component, decomposition, rescaling, _ = key
        cut = f" [{decomposition}, {rescaling}]" if several and decomposition else ""
        series.append(
            Series(
                f"{split}, {component}{cut}",
                tuple(map(float, line["epoch"])),
                tuple(finite(value) for value in line["value"]),
                _colour(str(component).partition("@")[0], components.index(component), components),
                dashed=split == "train",
            )
        )
    title = f"{metric_name(metric)} after each epoch"
    summary = "Solid lines are on other images, dashed ones on those that it was trained on."
    name = f"curve-{'-'.join(metric.lower().split())}"
    return chart_of(_plain(name), title, summary, "epoch", metric, series)


def _part_series(rows: pd.DataFrame) -> list[Series]:
    parts = sorted(set(rows["part"]), key=lambda part: (COLOUR_OF_PART.get(part, 9), part))
    return [
        line_of(part, rows[rows["part"] == part], "cutoff", COLOUR_OF_PART.get(part, 3 + place))
        for place, part in enumerate(parts)
    ]


def _original_series(whole: pd.DataFrame, rows: pd.DataFrame) -> list[Series]:
    """The score on originals, as a line from the smallest to the largest radius."""
    if whole.empty:
        return []
    value = finite(whole["value"].iloc[-1])
    reach = sorted({float(rows["cutoff"].min()), float(rows["cutoff"].max())})
    ends = tuple(finite(whole[name].iloc[-1]) for name in ("low", "high"))
    count = len(reach)
    return [
        Series(
            "original",
            tuple(reach),
            (value,) * count,
            COLOUR_OF_PART["original"],
            (ends[0],) * count,
            (ends[1],) * count,
            dashed=True,
        )
    ]


def line_of(name: str, rows: pd.DataFrame, x: str, colour: int) -> Series:
    """Scores with their intervals against a column of numbers; rows without one are left out."""
    # Of equal conditions the one stored last counts, as in the leaderboard.
    points = rows[rows[x].notna()].drop_duplicates(x, keep="last").sort_values(x)
    return Series(
        name,
        tuple(map(float, points[x])),
        tuple(finite(value) for value in points["value"]),
        colour,
        tuple(finite(value) for value in points["low"]),
        tuple(finite(value) for value in points["high"]),
    )


def chart_of(
    name: str, title: str, summary: str, x_title: str, metric: str, series: Sequence[Series]
) -> Chart:
    """A chart of scores of one metric with its numbers as a table."""
    table = series_table(
        f"{name}-data", f"{title}: its numbers", x_title, metric_name(metric), series
    )
    unit = metric.startswith(_UNIT_METRICS)
    return Chart(
        name,
        title[:1].upper() + title[1:],
        summary,
        x_title,
        metric_name(metric),
        tuple(series),
        table,
        unit_range=unit,
        from_zero=x_title == "epsilon",
    )


def _colour(part: str, place: int, components: Sequence[str]) -> int:
    """Of its part; where a part was cut in several places, a colour for each."""
    parts = [component.partition("@")[0] for component in components]
    if part in COLOUR_OF_PART and parts.count(part) == 1:
        return COLOUR_OF_PART[part]
    return 3 + place


def metric_name(metric: str) -> str:
    """What people call it."""
    return {"top1": "accuracy", "map": "mean average precision"}.get(metric, metric)


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name)

"""Charts of several detectors: by component, and against the radius."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.reports.site.chart_tables import series_table
from hfcbench.reports.site.elements import Chart, Series
from hfcbench.reports.site.wording import finite

if TYPE_CHECKING:
    import pandas as pd

_PARTS = {"original": 0, "lfc": 1, "hfc": 2}
_SCORE = "mean average precision"


def by_component(scores: pd.DataFrame, place: int) -> Chart | None:
    """Every detector's score on the original and on each component, with intervals.

    Args:
        scores: of one metric, with a column ``detector``.
        place: of the section in its page.
    """
    if scores.empty:
        return None
    order = _component_order(scores)
    series = []
    for number, (detector, rows) in enumerate(scores.groupby("detector", sort=False)):
        newest = rows.drop_duplicates("component", keep="last").set_index("component")
        line = newest.loc[[name for name in order if name in newest.index]]
        series.append(_series(str(detector), tuple(map(str, line.index)), line, number, True))
    summary = "On the original pictures, on their low (LFC) and on their high frequencies (HFC)."
    return _chart(f"components-{place}", "By component", summary, "component", series)


def by_cutoff(scores: pd.DataFrame, place: int) -> Chart | None:
    """Scores on LFC and HFC against the radius; None where there is one radius only."""
    parts = scores[scores["cutoff"].notna() & scores["cutoff_inner"].isna()]
    if parts["cutoff"].nunique() < 2:
        return None
    series = []
    for number, (detector, rows) in enumerate(parts.groupby("detector", sort=False)):
        for part in sorted(set(rows["part"]), key=lambda name: (_PARTS.get(name, 3), name)):
            of_part = rows[rows["part"] == part]
            line = of_part.drop_duplicates("cutoff", keep="last").sort_values("cutoff")
            x = tuple(map(float, line["cutoff"]))
            series.append(_series(f"{detector}: {part}", x, line, number, False, part != "lfc"))
    summary = (
        "What is left of the score on the low frequencies (solid) and on the high ones (dashed) at "
        "each radius or rank."
    )
    return _chart(f"cutoffs-{place}", "Against the cut-off", summary, "radius or rank", series)


def _component_order(scores: pd.DataFrame) -> list[str]:
    """The original, then parts by their radius."""
    known = scores.drop_duplicates("component")
    keys = [
        (_PARTS.get(row["part"], 3), row["part"], finite(row["cutoff"]) or 0.0, row["component"])
        for row in known.to_dict("records")
    ]
    return [str(key[-1]) for key in sorted(keys)]


def _series(
    name: str,
    x: tuple[str, ...] | tuple[float, ...],
    rows: pd.DataFrame,
    colour: int,
    points: bool,
    dashed: bool = False,
) -> Series:
    return Series(
        name,
        x,
        tuple(finite(value) for value in rows["value"]),
        # The first colour is that of originals.
        1 + colour % 7,
        tuple(finite(value) for value in rows["low"]),
        tuple(finite(value) for value in rows["high"]),
        dashed=dashed,
        points=points,
    )


def _chart(name: str, title: str, summary: str, x_title: str, series: Sequence[Series]) -> Chart:
    table = series_table(f"{name}-data", f"{title}: its numbers", x_title, _SCORE, series)
    return Chart(name, title, summary, x_title, _SCORE, tuple(series), table)

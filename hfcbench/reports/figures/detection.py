"""How much of detectors' average precision rests on low and on high frequencies: section 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hfcbench.reports.figures.conditions import wide
from hfcbench.reports.figures.detectors import (
    CUT,
    METRICS,
    cut_note,
    detector_scores,
    fingerprint_note,
    in_order,
    subjects,
    varying,
)
from hfcbench.reports.figures.drawing import Drawing, TableOutput, file_name, house_style
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.gains import gain_tables
from hfcbench.reports.figures.radii import draw_radii
from hfcbench.reports.figures.selection import Group, groups, interval_note, rows_footnote
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pandas import DataFrame

_OF_PICTURES = "interval of the score (bootstrap over pictures)"
_MEANING = (
    "map: mean of average precision over classes and overlaps from 0.50 to 0.95; ap50, ap75: at "
    "one overlap; small, medium, large: objects up to 32², 96² and of more pixels"
)


def detection(study: Study) -> list[Drawing | TableOutput]:
    """COCO's scores of detectors on components, and which pictures gain and which drop."""
    rows = detector_scores(study)
    outputs: list[Drawing | TableOutput] = []
    for group in groups(study, rows, ["model", "heuristics", "trained_on"]):
        outputs.append(_score_table(study, group))
        outputs += _radius_figures(study, group)
        outputs += gain_tables(study, group)
    return outputs


def detector_estimates(rows: DataFrame, by: list[str]) -> DataFrame:
    """Scores with 95% intervals, over seeds where there are several, else the scores' own."""
    found = summarise(rows, by, proportions=False)
    # Student's interval of a few seeds may leave the range that scores have.
    return found.assign(low=found["low"].clip(lower=0), high=found["high"].clip(upper=1))


def _score_table(study: Study, group: Group) -> TableOutput:
    keys = [*varying(group.rows), "component"]
    found = detector_estimates(in_order(group.rows), [*keys, "metric"])
    scored = set(found.loc[found["value"].notna(), "metric"])
    known = [metric for metric in METRICS if metric in scored]
    table = wide(found, keys, "metric", known)
    note = rows_footnote(
        *(study, group.rows, fingerprint_note(study, group.rows), cut_note(group.rows), _MEANING),
        interval_note(group.rows, _OF_PICTURES),
    )
    return TableOutput(file_name("detection", group.suffix), table, note)


def _radius_figures(study: Study, group: Group) -> Iterator[Drawing]:
    """One figure per way of cutting."""
    rows = group.rows[group.rows["metric"] == "map"]
    components = rows[rows["part"] != "original"]
    cuts = list(components[list(CUT)].drop_duplicates().itertuples(index=False, name=None))
    for decomposition, rescaling in cuts:
        own = components[list(CUT)].eq([decomposition, rescaling]).all(axis=1)
        shown = pd.concat([rows[rows["part"] == "original"], components[own]])
        suffix = file_name(decomposition, rescaling) if len(cuts) > 1 else ""
        panels = [
            (subject.label, detector_estimates(in_order(subject.rows), ["part", "cutoff"]))
            for subject in subjects(shown)
        ]
        note = rows_footnote(
            *(study, shown, fingerprint_note(study, shown), cut_note(shown)),
            "bars and band: " + interval_note(shown, _OF_PICTURES),
        )
        with house_style():
            figure = draw_radii(
                panels,
                axis=f"{_cutoff_name(decomposition)} ({decomposition})",
                title=f"Average precision on image components ({group.title})",
                footnote=note,
            )
        yield Drawing(file_name("detection", group.suffix, suffix), figure)


def _cutoff_name(decomposition: str) -> str:
    if decomposition.startswith("fft-"):
        return "radius"
    return "rank" if decomposition == "svd" else "cutoff"

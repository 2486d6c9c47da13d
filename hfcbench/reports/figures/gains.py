"""Tables of how many pictures detectors score better and worse on in one component, and which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from hfcbench.reports.figures.detectors import cut_note, fingerprint_note, in_order, varying
from hfcbench.reports.figures.drawing import TableOutput, file_name
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.selection import Group, in_plan_order, rows_footnote
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

_SIZES = {"map": "all", "map-small": "small", "map-medium": "medium", "map-large": "large"}
_COUNTS = ("pictures", "gains", "drops", "equal")
_MEANING = (
    "a picture gains where its own average precision is higher on the component than on the "
    "original"
)
_MOST_LISTED = 20


def gain_tables(study: Study, group: Group) -> Iterator[TableOutput]:
    """Counts by size of objects, and the pictures that change most; none without detections."""
    found = {size: picture_gains(study, group, metric) for metric, size in _SIZES.items()}
    held = [frame.assign(objects=size) for size, (frame, _) in found.items() if len(frame)]
    if not held:
        return
    rows = in_order(pd.concat(held))
    yield TableOutput(
        file_name("detection-gains", group.suffix), _counts(rows), _counts_note(study, rows)
    )
    changed, listed = found["all"]
    if len(listed):
        listed = _of_first_seed(listed)
        shown = changed[changed["evaluation"].isin(listed["evaluation"])]
        says = f"at most {_MOST_LISTED} gains and drops of each component, the largest first"
        note = rows_footnote(study, shown, *_about(study, shown), _MEANING, says)
        name = file_name("detection-pictures", group.suffix)
        yield TableOutput(name, _named(listed), note)


def picture_gains(
    study: Study, group: Group, metric: str, largest: int = _MOST_LISTED
) -> tuple[DataFrame, DataFrame]:
    """``frame`` and ``pictures`` of the store's ``picture_gains``, of one figure's evaluations.

    Both have the columns ``dataset``, ``seed``, ``split`` and those of detectors' rows. They are
    empty where nothing is kept for single pictures, or no picture has what the metric is about.
    """
    scores = group.rows[group.rows["metric"] == metric]
    if study.pictures is None or not scores["value"].notna().any():
        return pd.DataFrame(), pd.DataFrame()
    found = study.pictures.gains(metric, largest)
    frame, pictures = (
        in_plan_order(study, rows[rows["evaluation"].isin(scores["evaluation"])])
        for rows in (found.frame, found.pictures)
    )
    return frame, pictures


def _counts(rows: DataFrame) -> DataFrame:
    """Means over seeds, of counts without an interval."""
    keys = [*varying(rows), "component", "objects"]
    difference = summarise(rows.assign(value=rows["difference"]), keys, proportions=False)
    table = difference[keys]
    for name in _COUNTS:
        means = summarise(rows.assign(value=rows[name]), keys, proportions=False)["value"].round(1)
        table = table.assign(**{name: means.astype(int) if (means % 1 == 0).all() else means})
    ends = {"value": "difference", "low": "difference_low", "high": "difference_high"}
    more = difference.rename(columns=ends)[[*ends.values(), "seeds", "n"]]
    return pd.concat([table, more], axis=1)


def _counts_note(study: Study, rows: DataFrame) -> str:
    seeds = rows.groupby(varying(rows))["seed"].nunique()
    says = "difference: mean over the pictures that have objects of the size"
    if seeds.max() > 1:
        says += "; all are means over seeds, with Student's t interval where there are several"
    return rows_footnote(study, rows, *_about(study, rows), _MEANING, says)


def _about(study: Study, rows: DataFrame) -> tuple[str, str]:
    return fingerprint_note(study, rows), cut_note(rows)


def _of_first_seed(pictures: DataFrame) -> DataFrame:
    keys = varying(pictures)
    first = pictures.groupby(keys)["seed"].transform("first")
    return in_order(pictures[pictures["seed"] == first])


def _named(listed: DataFrame) -> DataFrame:
    names = [*varying(listed), "component", "change", "rank", "picture", "object_count"]
    table = listed[[*names, "original", "value", "difference"]].reset_index(drop=True)
    return table.rename(columns={"object_count": "objects"})

"""The scores of detectors that figures are made from, and how they are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.references import short_labels
from hfcbench.reports.figures.drawing import file_name
from hfcbench.reports.figures.selection import in_plan_order, required
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

SUBJECT = ("model", "heuristics", "trained_on", "defence")
CUT = ("decomposition", "rescaling")
METRICS = ("map", "ap50", "ap75", "map-small", "map-medium", "map-large")
_PARTS = {"original": 0, "lfc": 1, "hfc": 2}
_PLAIN = ("vanilla", "original", "none")


@dataclass(frozen=True)
class Subject:
    """One detector of a group, with all its seeds.

    Attributes:
        label: what tells it from the others; the model's name where there are none.
        suffix: ends names of its files; empty where it is the only one.
        rows: its scores, or whatever else has the columns of ``SUBJECT``.
    """

    label: str
    suffix: str
    rows: DataFrame


def detector_scores(study: Study) -> DataFrame:
    """COCO's scores on test pictures, in the order of the plan; originals have no ``CUT`` ('').

    Raises:
        UsageError: there are none.
    """
    scores = study.scores
    rows = scores[scores["metric"].isin(METRICS)]
    rows = rows[(rows["split"] == "test") & (rows["attack"] == "none")]
    rows = in_plan_order(study, required(study, rows, "average precision of detectors"))
    filled = {name: rows[name].astype(object).where(rows["part"] != "original", "") for name in CUT}
    return rows.assign(**filled)


def subjects(rows: DataFrame) -> Iterator[Subject]:
    """The detectors of these rows, in their order."""
    models = list(dict.fromkeys(rows["model"]))
    names = short_labels("model", models)
    several = [name for name in SUBJECT[1:] if rows[name].nunique() > 1]
    for key, part in rows.groupby(list(SUBJECT), sort=False):
        values = dict(zip(SUBJECT, map(str, key), strict=True))
        more = [values[name] for name in several if values[name] not in _PLAIN]
        shown = [names[values["model"]], *more]
        alone = len(models) == 1 and not several
        yield Subject(", ".join(shown), "" if alone else file_name(*shown), part)


def in_order(rows: DataFrame) -> DataFrame:
    """Detector by detector: the original first, then LFCs and HFCs by cutoff."""
    import pandas as pd

    ordered = rows.assign(
        _place=[_PARTS.get(part, len(_PARTS)) for part in rows["part"]],
        _cutoff=rows["cutoff"].astype(float).fillna(0.0),
    )
    by = ["_place", "part", "_cutoff", "component"]
    parts = [one.rows.sort_values(by, kind="stable") for one in subjects(ordered)]
    return pd.concat(parts).drop(columns=["_place", "_cutoff"]) if parts else rows


def varying(rows: DataFrame) -> list[str]:
    """The model and what else differs among rows of detectors and how their pictures were cut."""
    components = rows[rows["part"] != "original"]
    cut = [name for name in CUT if components[name].nunique() > 1]
    return ["model", *(name for name in SUBJECT[1:] if rows[name].nunique() > 1), *cut]


def cut_note(rows: DataFrame) -> str:
    """How components were cut and rescaled, for a footnote; empty where there are none."""
    components = rows[rows["part"] != "original"]
    pairs = components[list(CUT)].drop_duplicates().itertuples(index=False, name=None)
    return " and ".join(f"{decomposition}, rescaling {name}" for decomposition, name in pairs)


def fingerprint_note(study: Study, rows: DataFrame) -> str:
    """The fingerprints of the rows' datasets, for a footnote."""
    titles = dict.fromkeys(rows["dataset"])
    known = [study.fingerprints[title][:12] for title in titles if title in study.fingerprints]
    return f"fingerprint {', '.join(known)}" if known else ""

"""The pictures that gain and that drop most on a component: figures 8 and 9 of the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.detection import mean_average_precision
from hfcbench.detection.single_pictures import FOUND_FROM, found_objects, picture_alone
from hfcbench.errors import UsageError
from hfcbench.reports.figures.boxes import Example, View, draw_boxes
from hfcbench.reports.figures.class_names import short_names
from hfcbench.reports.figures.detectors import (
    CUT,
    cut_note,
    detector_scores,
    fingerprint_note,
    subjects,
)
from hfcbench.reports.figures.drawing import Drawing, file_name, house_style
from hfcbench.reports.figures.gains import picture_gains
from hfcbench.reports.figures.selection import Group, groups, rows_footnote
from hfcbench.reports.picture_results import PictureResults
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from hfcbench.detection_types import Detections

_MOST_PICTURES = 4
_MOST_BOXES = 10
_SCORE_FROM = 0.3
_CLASS_CHARACTERS = 16
_FEW = 2
"""So many components are all shown; of more, the one that most pictures gain on."""
_AROUND_ZERO = ("none", "max")
"""Rescalings that leave the values of an HFC below and above 0."""
_MEANING = (
    "AP: average precision (map) of the picture alone, in brackets against the original",
    f"boxes: the best {_MOST_BOXES} detections with a score from {_SCORE_FROM:g}, solid where one "
    f"finds an object (overlap from {FOUND_FROM:g}), dashed where not",
    "thin white: the objects",
)


def draw_examples(study: Study, radius: float | None = None) -> Iterator[Iterator[Drawing]]:
    """For each detector its largest gains and its largest drops, of the first seed there is.

    Args:
        radius: where to cut; by default all LFCs if there are at most two, else the one on which
            most pictures gain.

    Returns:
        For each dataset its figures. The next one raises DataError if the dataset is not at hand,
        or if it is another one than was evaluated.

    Raises:
        UsageError: there is no component with this radius.
    """
    if study.pictures is None:
        return iter(())
    rows = detector_scores(study)
    _check_radius(rows, radius)
    return (
        _of_dataset(study, study.pictures, group, radius)
        for group in groups(study, rows, ["model", "heuristics", "trained_on"])
    )


def _of_dataset(
    study: Study, pictures: PictureResults, group: Group, radius: float | None
) -> Iterator[Drawing]:
    frame, listed = picture_gains(study, group, "map", _MOST_PICTURES)
    for subject in subjects(frame) if len(frame) else ():
        own = subject.rows[subject.rows["seed"] == subject.rows["seed"].iloc[0]]
        several = len(own[list(CUT)].drop_duplicates()) > 1
        for chosen in _chosen(own, radius):
            compared = _Compared.of(pictures, group.rows, chosen)
            changes = listed[listed["evaluation"] == chosen["evaluation"]]
            title = f"{group.title}, {subject.label}"
            suffix = file_name(
                group.suffix, subject.suffix, *(chosen[list(CUT)] if several else ())
            )
            yield from _figures(study, compared, changes, title, suffix)


def _check_radius(rows: pd.DataFrame, radius: float | None) -> None:
    known = sorted(set(rows["cutoff"].dropna()))
    if radius is not None and radius not in known:
        raise UsageError(
            f"no component is cut at {radius:g}",
            hint="there are: " + (", ".join(f"{cutoff:g}" for cutoff in known) or "none"),
        )


def _chosen(own: pd.DataFrame, radius: float | None) -> Iterator[pd.Series[Any]]:
    """The rows of one detector whose gains and drops are shown, for each way of cutting."""
    for _, rows in own.groupby(list(CUT), sort=False):
        part = "lfc" if (rows["part"] == "lfc").any() else rows["part"].iloc[0]
        rows = rows[rows["part"] == part].sort_values("cutoff", kind="stable")
        if radius is not None:
            rows = rows[rows["cutoff"] == radius]
        elif len(rows) > _FEW:
            rows = rows.sort_values("gains", ascending=False, kind="stable").iloc[:1]
        yield from (row for _, row in rows.iterrows())


@dataclass(frozen=True)
class _Compared:
    """The evaluations whose views stand side by side: the original, then components.

    Attributes:
        rows: one per evaluation; the second is that whose gains and drops are shown.
        found: detections of each.
    """

    pictures: PictureResults
    rows: pd.DataFrame
    found: Sequence[Detections]

    @classmethod
    def of(
        cls, pictures: PictureResults, scores: pd.DataFrame, chosen: pd.Series[Any]
    ) -> _Compared:
        """The original, the chosen component, and what else is cut there of the same pictures."""
        rows = scores[scores["metric"] == "map"]
        for name in ("training", "defence", "n"):
            rows = rows[rows[name] == chosen[name]]
        original = rows["part"] == "original"
        alike = (rows[["cutoff", *CUT]] == chosen[["cutoff", *CUT]]).all(axis=1)
        rows = rows[original | alike]
        order = [
            0 if part == "original" else 1 + (identity != chosen["evaluation"])
            for part, identity in zip(rows["part"], rows["evaluation"], strict=True)
        ]
        rows = rows.assign(_order=order).sort_values("_order", kind="stable")
        return cls(pictures, rows, [pictures.detections(name) for name in rows["evaluation"]])

    def example(self, name: str) -> Example:
        """The views of a picture, with what was found in them."""
        known = self.found[0].pictures
        position = known.names.index(name)
        pixels = self.pictures.views(list(self.rows["evaluation"]), position)
        alone = [picture_alone(found, position) for found in self.found]
        original = mean_average_precision(alone[0])
        views = [
            _view(row, shown, one, mean_average_precision(one) - original)
            for row, shown, one in zip(self.rows.itertuples(), pixels, alone, strict=True)
        ]
        return Example(name, views, alone[0].pictures.boxes)


def _view(row: Any, pixels: NDArray[np.float32], alone: Detections, change: float) -> View:
    shift = _is_shifted(row.part, row.rescaling)
    shown = np.flatnonzero(alone.scores >= _SCORE_FROM)[:_MOST_BOXES]
    against = "" if row.part == "original" else f" ({change:+.2f})"
    return View(
        title=f"{row.component} + 0.5" if shift else row.component,
        pixels=pixels + 0.5 if shift else pixels,
        boxes=alone.boxes[shown],
        scores=alone.scores[shown],
        classes=alone.classes[shown],
        right=found_objects(alone)[shown],
        caption=f"AP {mean_average_precision(alone):.2f}{against}",
    )


def _is_shifted(part: str, rescaling: str) -> bool:
    return part == "hfc" and rescaling in _AROUND_ZERO


def _figures(
    study: Study, compared: _Compared, changes: pd.DataFrame, title: str, suffix: str
) -> Iterator[Drawing]:
    rows = compared.rows
    component = rows["component"].iloc[1]
    shifted = any(map(_is_shifted, rows["part"], rows["rescaling"]))
    note = rows_footnote(
        *(study, rows, fingerprint_note(study, rows), cut_note(rows), *_MEANING),
        "HFC shifted by 0.5 to be seen" if shifted else "",
    )
    names = short_names(study.classes.get(rows["dataset"].iloc[0], ()), _CLASS_CHARACTERS)
    for change in ("gain", "drop"):
        pictures = changes[changes["change"] == change].sort_values("rank")["picture"]
        if pictures.empty:
            continue
        with house_style():
            figure = draw_boxes(
                [compared.example(name) for name in pictures],
                names,
                title=f"Largest {change}s on {component} against the original ({title})",
                footnote=note,
            )
        yield Drawing(file_name(f"detection-{change}s", suffix, component), figure)

"""Images whose prediction follows one component and not the other: figure 2 and section 8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.analyses.prediction_conflicts import PredictionConflicts
from hfcbench.references import parse_label
from hfcbench.reports.figures.bars import draw_bars
from hfcbench.reports.figures.class_names import short_names
from hfcbench.reports.figures.drawing import Drawing, TableOutput, file_name, house_style
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.selection import (
    Measured,
    groups,
    interval_note,
    measured,
    nothing_to_draw,
    rows_footnote,
)
from hfcbench.reports.figures.subjects import (
    Condition,
    by_dataset,
    conditions_footnote,
    scalars,
    subject_title,
)
from hfcbench.reports.figures.triples import Triple, draw_triples
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

ANALYSIS = "prediction-conflicts"
_KINDS = {
    "high": "follows HFC: f(x) = f(HFC), not f(LFC)",
    "low": "follows LFC: f(x) = f(LFC), not f(HFC)",
    "neither": "follows neither: f(x) is not f(LFC), not f(HFC)",
}
_MOST_EXAMPLES = 8


def fig2(study: Study) -> list[Drawing | TableOutput]:
    """Test images with their LFC and HFC, and what is predicted for each; and how many there are.

    Images are of the first seed that there is.
    """
    found = measured(study, ANALYSIS)
    outputs: list[Drawing | TableOutput] = []
    held = by_dataset(found)
    for dataset, shown in held.items():
        several = dataset if len(held) > 1 else ""
        for condition in shown:
            stem = file_name("fig2", several, condition.label if len(shown) > 1 else "")
            outputs += _examples(study, condition, stem)
    return [*outputs, *_count_tables(study, found, "fig2")]


def svd(study: Study) -> list[Drawing | TableOutput]:
    """How often predictions follow each part, split by Fourier and by singular values."""
    found = measured(study, ANALYSIS)
    counts = _counts(study, found)
    outputs: list[Drawing | TableOutput] = []
    for group in groups(study, counts, []):
        for (cutoff, defence), rows in group.rows.groupby(["cutoff", "defence"], sort=False):
            suffix = f"{cutoff:g}" if counts["cutoff"].nunique() > 1 else ""
            defended = str(defence) if counts["defence"].nunique() > 1 else ""
            subject = f"{group.title}, {defended}" if defended else group.title
            with house_style():
                figure = draw_bars(
                    summarise(rows, ["kind", "method"]),
                    place="kind",
                    kind="method",
                    labels=("what the prediction follows", "share of test images"),
                    title=f"Split at {cutoff:g}: Fourier and SVD ({subject})",
                    footnote=_counts_note(study, rows),
                    top=None,
                )
            outputs.append(Drawing(file_name("svd", group.suffix, defended, suffix), figure))
    return [*outputs, *_count_tables(study, found, "svd")]


def _examples(study: Study, condition: Condition, stem: str) -> list[Drawing | TableOutput]:
    split = _split_of(condition.about.analysis)
    lines = {
        text: _triples(condition.members[0], kind, split)[:_MOST_EXAMPLES]
        for kind, text in _KINDS.items()
    }
    if not any(lines.values()):
        return []
    note = conditions_footnote(
        study,
        [Condition(condition.label, condition.members[:1])],
        "below each image: predicted class and its confidence (softmax), bold where right",
        "HFC shifted by 0.5 to be seen",
    )
    title = f"Predictions for images, LFC and HFC ({subject_title(condition)}; {_text_of(split)})"
    classes = short_names(study.classes.get(condition.about.dataset, ()))
    with house_style():
        figure = draw_triples(lines, classes, title=title, footnote=note)
    return [Drawing(stem, figure)]


def _triples(one: Measured, kind: str, split: PredictionConflicts) -> list[Triple]:
    held = one.quantities
    if f"{kind}-examples" not in held:
        return []
    pixels = np.asarray(held[f"{kind}-examples"].values, dtype=np.float32) / 255
    if not len(pixels):
        return []
    low, high = _parts(pixels, split)
    labels = np.asarray(held[f"{kind}-labels"].values).astype(int)
    answers = np.asarray(held[f"{kind}-answers"].values).astype(int)
    confidences = np.asarray(held[f"{kind}-confidences"].values, dtype=float)
    return [
        Triple((pixels[i], low[i], high[i] + 0.5), int(labels[i]), answers[i], confidences[i])
        for i in range(len(pixels))
    ]


def _parts(pixels: NDArray[Any], split: PredictionConflicts) -> tuple[NDArray[Any], NDArray[Any]]:
    """LFC and HFC of ``(N,C,H,W)`` images in [0,1]."""
    import torch

    ((low, high),) = split.decomposition().split(torch.from_numpy(pixels), [split.cutoff])
    return low.numpy(), high.numpy()


def _split_of(analysis: str) -> PredictionConflicts:
    _, parameters = parse_label(analysis)
    return PredictionConflicts(**parameters)


def _text_of(split: PredictionConflicts) -> str:
    return f"{split.method}, {'r' if split.method == 'fourier' else 'rank'} = {split.cutoff:g}"


def _counts(study: Study, found: list[Measured]) -> DataFrame:
    rows = scalars(found)
    if rows.empty:
        raise nothing_to_draw(study, "how many predictions follow which component")
    splits = [_split_of(analysis) for analysis in rows["analysis"]]
    methods = [split.method for split in splits]
    cutoffs = [split.cutoff for split in splits]
    return rows.assign(kind=rows["name"], method=methods, cutoff=cutoffs)


def _counts_note(study: Study, rows: DataFrame) -> str:
    says = "paper-high: f(x) = f(HFC) = y, not f(LFC); follows-high: whatever the label y is"
    return rows_footnote(study, rows, says, interval_note(rows, "interval of the share"))


def _count_tables(study: Study, found: list[Measured], name: str) -> list[TableOutput]:
    counts = _counts(study, found)
    tables = []
    for group in groups(study, counts, ["model", "heuristics", "trained_on"]):
        by = ["model", "heuristics", "trained_on", "defence", "method", "cutoff", "kind"]
        table = summarise(group.rows, by)
        ends = {"value": "share", "low": "share_low", "high": "share_high"}
        table = table.rename(columns=ends)
        # A mean over seeds need not be a whole number.
        images = (table["share"] * table["n"]).round(1)
        table.insert(len(by), "images", images.astype(int) if (images % 1 == 0).all() else images)
        table["cutoff"] = [f"{cutoff:g}" for cutoff in table["cutoff"]]
        note = _counts_note(study, group.rows)
        tables.append(TableOutput(file_name(name, group.suffix), table, note))
    return tables

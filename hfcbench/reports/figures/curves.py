"""Accuracy per epoch on original images and components: figures 3 to 6 and their kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from hfcbench.reports.figures.drawing import Drawing, TableOutput, file_name, house_style
from hfcbench.reports.figures.estimates import difference, summarise
from hfcbench.reports.figures.panels import draw_panels
from hfcbench.reports.figures.selection import (
    Group,
    groups,
    interval_note,
    required,
    rows_footnote,
)
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

Outputs = list[Drawing | TableOutput]


def fig3(study: Study) -> Outputs:
    """Natural and shuffled labels: accuracy on the training set and on its LFC, every epoch."""
    rows = _accuracies(study)
    drawn = rows[(rows["split"] == "train") & rows["part"].isin(["original", "lfc"])]
    title = "Accuracy on training images and their LFC, natural against shuffled labels"
    return _outputs(study, rows, drawn, "fig3", title, across="heuristics")


def fig4(study: Study) -> Outputs:
    """Batch sizes: train and test accuracy on original, LFC and HFC, every epoch."""
    title = "Batch size and accuracy on image components"
    return _train_and_test(study, "fig4", title, across="heuristics")


def fig5(study: Study) -> Outputs:
    """Heuristics: train and test accuracy on original, LFC and HFC, every epoch."""
    title = "Training heuristics and accuracy on image components"
    return _train_and_test(study, "fig5", title, across="heuristics")


def architectures(study: Study) -> Outputs:
    """Architectures: train and test accuracy on original, LFC and HFC, every epoch."""
    title = "Architectures and accuracy on image components"
    return _train_and_test(study, "architectures", title, across="model")


def optimizers(study: Study) -> Outputs:
    """Optimizers: train and test accuracy on original, LFC and HFC, every epoch."""
    title = "Optimizers and accuracy on image components"
    return _train_and_test(study, "optimizers", title, across="heuristics")


def fig6(study: Study) -> Outputs:
    """Trained on LFC, with and without BatchNorm: test accuracy on original images and that LFC."""
    rows = _accuracies(study)
    seen = (rows["component"] == "original") | (rows["component"] == rows["trained_on"])
    drawn = rows[seen & (rows["split"] == "test")]
    title = "Trained on LFC: accuracy on test images, original and as trained on"
    return _outputs(study, rows[seen], drawn, "fig6", title, across="trained_on", down="heuristics")


def _train_and_test(study: Study, name: str, title: str, *, across: str) -> Outputs:
    rows = _accuracies(study)
    return _outputs(study, rows, rows, name, title, across=across)


def _accuracies(study: Study) -> DataFrame:
    curves = study.curves
    rows = curves[curves["metric"] == "top1"] if len(curves) else curves
    # Rows are told apart by their index below.
    return required(study, rows, "accuracies of every epoch").reset_index(drop=True)


def _outputs(
    study: Study,
    rows: DataFrame,
    drawn: DataFrame,
    name: str,
    title: str,
    *,
    across: str,
    down: str = "split",
) -> Outputs:
    """Per dataset (model, ...) a figure of the drawn rows and a table of all at the last epoch."""
    required(study, drawn, title)
    outputs: Outputs = []
    varied = [across] if down == "split" else [across, down]
    for group in groups(study, rows, varied):
        stem = file_name(name, group.suffix)
        shown = group.rows[group.rows.index.isin(drawn.index)]
        if len(shown):
            if down == "split":
                # Train above test; stable, so that the plan's order remains.
                shown = shown.sort_values("split", ascending=False, kind="stable")
            outputs.append(_figure(study, Group(group.title, stem, shown), title, across, down))
        note = rows_footnote(study, group.rows, _table_note(group.rows))
        outputs.append(TableOutput(stem, final_epoch(group.rows, varied), note))
    return outputs


def _figure(study: Study, group: Group, title: str, across: str, down: str) -> Drawing:
    note = rows_footnote(study, group.rows, "bands: " + interval_note(group.rows))
    with house_style():
        figure = draw_panels(
            group.rows,
            down=down,
            across=across,
            title=f"{title} ({group.title})",
            footnote=note,
        )
    return Drawing(group.suffix, figure)


def _table_note(rows: DataFrame) -> str:
    one_seed = "Wilson's interval (Newcombe's for the gap)"
    return f"last epoch; gap = train - test; {interval_note(rows, one_seed)}"


def final_epoch(rows: DataFrame, varied: list[str]) -> DataFrame:
    """Train and test accuracy and their gap at each training's last epoch, per component.

    Returns:
        ``varied``, ``component``, ``epoch``; ``train``, ``test`` and ``gap`` (train - test), each
        with ``_low`` and ``_high``; ``seeds``, ``n_train``, ``n_test``.
    """
    return pd.DataFrame(list(_final_rows(rows, varied)))


def _final_rows(rows: DataFrame, varied: list[str]) -> Iterator[dict[str, Any]]:
    for key, part in rows.groupby([*varied, "component"], sort=False):
        last = part[part["epoch"] == part["epoch"].max()]
        found: dict[str, Any] = dict(zip([*varied, "component"], key, strict=True))
        found["epoch"] = int(last["epoch"].max())
        counts = {}
        for split in ("train", "test"):
            one = summarise(last[last["split"] == split], ["split"])
            for column, end in (("value", ""), ("low", "_low"), ("high", "_high")):
                found[split + end] = float(one[column].iloc[0]) if len(one) else float("nan")
            counts[f"n_{split}"] = int(one["n"].iloc[0]) if len(one) else 0
        gap = difference(last[last["split"] == "train"], last[last["split"] == "test"])
        found |= dict(zip(("gap", "gap_low", "gap_high"), gap, strict=True))
        yield found | {"seeds": int(last["seed"].nunique())} | counts

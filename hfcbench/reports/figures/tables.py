"""Tables 1 and 2 of the paper, each with a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hfcbench.reports.figures.bars import draw_bars, draw_epsilons
from hfcbench.reports.figures.conditions import (
    CLEAN,
    accuracies_on_test,
    condition_order,
    top1,
    wide,
)
from hfcbench.reports.figures.drawing import Drawing, TableOutput, file_name, house_style
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.selection import groups, interval_note, required, rows_footnote
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

OF_SCORES = "interval of the score (Wilson's where it has none)"


def table1(study: Study) -> list[Drawing | TableOutput]:
    """Trained on a component: train accuracy on it, and test accuracy on original images."""
    rows = required(study, train_and_test(study), "accuracies of models trained on components")
    outputs: list[Drawing | TableOutput] = []
    for group in groups(study, rows, ["trained_on"]):
        stem = file_name("table1", group.suffix)
        found = summarise(group.rows, ["trained_on", "measure"])
        says = "train: last epoch, on images as trained on; test: on original images"
        note = rows_footnote(study, group.rows, says, interval_note(group.rows, OF_SCORES))
        title = f"Trained on one image component ({group.title})"
        with house_style():
            figure = draw_bars(
                found,
                place="trained_on",
                kind="measure",
                labels=("trained on", "accuracy (share of images)"),
                title=title,
                footnote=note,
            )
        table = wide(found, ["trained_on"], "measure", ["train", "test"])
        outputs += [Drawing(stem, figure), TableOutput(stem, table, note)]
    return outputs


def train_and_test(study: Study) -> DataFrame:
    """Accuracies of models trained on components; ``measure`` is ``train`` or ``test``.

    ``train`` is after the last epoch, on images as trained on; ``test`` on original images.
    """
    curves, scores = top1(study.curves), top1(study.scores)
    train = curves[(curves["split"] == "train") & (curves["component"] == curves["trained_on"])]
    last = train.groupby("training")["epoch"].transform("max")
    train = train[train["epoch"] == last].assign(measure="train")
    plain = (scores["attack"] == "none") & (scores["defence"] == "none")
    original = (scores["split"] == "test") & (scores["component"] == "original")
    test = scores[plain & original].assign(measure="test")
    columns = ["training", "dataset", "model", "heuristics", "trained_on", "seed"]
    columns += ["measure", "value", "low", "high", "n"]
    parts = [part.reindex(columns=columns) for part in (train, test) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else test


def table2(study: Study) -> list[Drawing | TableOutput]:
    """Heuristics and smoothed kernels: accuracy on clean images and under attack."""
    rows = accuracies_on_test(study)
    rows = required(study, rows[rows["rho"].notna()], "accuracies with and without smoothing")
    outputs: list[Drawing | TableOutput] = []
    for group in groups(study, rows, ["heuristics"]):
        stem = file_name("table2", group.suffix)
        found = summarise(group.rows, ["heuristics", "rho", "attack", "epsilon", "condition"])
        says = "rho: strength of kernel smoothing, 0 is none; eps in pixel units of [0,1]"
        note = rows_footnote(study, group.rows, says, interval_note(group.rows, OF_SCORES))
        if (found["condition"] != CLEAN).any():
            title = f"Kernel smoothing and accuracy under attack ({group.title})"
            with house_style():
                outputs.append(Drawing(stem, draw_epsilons(found, title=title, footnote=note)))
        table = wide(found, ["heuristics", "rho"], "condition", condition_order(found))
        outputs.append(TableOutput(stem, table, note))
    return outputs

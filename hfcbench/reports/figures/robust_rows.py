"""What is held against clean accuracy: the worst case over a suite's attacks, and LFC accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hfcbench.reports.figures.conditions import top1
from hfcbench.reports.study import Study
from hfcbench.reports.worst_cases import balls, robust_answers
from hfcbench.results.queries.conditions import middle

if TYPE_CHECKING:
    from pandas import DataFrame

WORST_CASE = "worst case"


def with_worst_cases(study: Study, rows: DataFrame) -> DataFrame:
    """Adds robust accuracy of each training and defence, per epsilon of the suite's attacks.

    Args:
        rows: accuracies on original test images, clean and attacked.

    Returns:
        The rows, and those whose ``attack`` is :data:`WORST_CASE` and whose ``condition`` says of
        what. Models that did not face every attack, or whose single answers are not stored, have
        none.
    """
    found = []
    for ball in balls(study.attacks):
        for _, own in rows.groupby(["training", "defence"], sort=False):
            answers = robust_answers(own, ball, study.answers)
            if answers is not None:
                row = own.iloc[0].to_dict()
                row |= {"condition": ball.name, "attack": WORST_CASE, "epsilon": ball.epsilon}
                row |= {"value": answers.accuracy, "n": answers.images.n}
                # Without bounds of its own its interval is Wilson's.
                found.append(row | {"low": np.nan, "high": np.nan})
    if not found:
        return rows
    return pd.concat([rows, pd.DataFrame(found, columns=rows.columns)], ignore_index=True)


def lfc_rows(study: Study) -> DataFrame:
    """Clean test accuracies on LFCs of one cutoff: the middle one, as on leaderboards."""
    scores = top1(study.scores)
    clean = (scores["split"] == "test") & (scores["attack"] == "none")
    rows = scores[clean & (scores["part"] == "lfc")]
    if rows.empty:
        return rows
    first = rows[rows["cutoff"] == middle(rows["cutoff"])].iloc[0]
    for name in ("cutoff", "decomposition", "rescaling"):
        rows = rows[rows[name] == first[name]]
    return rows


def lfc_note(rows: DataFrame) -> str:
    """What LFC accuracy is of, for the footnote."""
    if rows.empty:
        return ""
    first = rows.iloc[0]
    says = f"lfc: accuracy on {first['component']} (rescaling {first['rescaling']})"
    return f"{says}; three-way front: the same of clean, lfc and robust"

"""Test accuracies by condition: clean, or under an attack of some strength; with some defence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hfcbench.references import parse_label
from hfcbench.reports.figures.selection import in_plan_order, required
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

CLEAN = "clean"


def top1(frame: DataFrame) -> DataFrame:
    """The rows of curves or scores that are accuracies."""
    return frame[frame["metric"] == "top1"] if len(frame) else frame


def accuracies_on_test(study: Study) -> DataFrame:
    """Accuracies on original test images, with ``condition`` and ``rho``.

    ``condition`` is ``clean`` or such as ``pgd(steps=10) eps 0.03``; ``rho`` is that of
    :func:`rho_of`.

    Raises:
        UsageError: there are none.
    """
    scores = top1(study.scores)
    rows = scores[(scores["split"] == "test") & (scores["component"] == "original")]
    rows = required(study, rows, "accuracies on original test images")
    names = [
        CLEAN if attack == "none" else f"{attack} eps {epsilon:g}"
        for attack, epsilon in zip(rows["attack"], rows["epsilon"], strict=True)
    ]
    rhos = [rho_of(defence) for defence in rows["defence"]]
    return in_plan_order(study, rows.assign(condition=names, rho=rhos))


def rho_of(defence: str) -> float:
    """The strength of the paper's kernel smoothing that a defence label says; NaN of others."""
    name, parameters = parse_label(defence)
    if name == "none":
        return 0.0
    rho = parameters.pop("rho", 1.0)
    # Of more layers, or normalised, it is another defence.
    return float(rho) if name == "kernel-smoothing" and not parameters else math.nan


def condition_order(found: DataFrame) -> list[str]:
    """The conditions that there are: clean, then each attack in order of appearance by epsilon."""
    attacks = list(dict.fromkeys(found["attack"]))

    def place(row: Any) -> tuple[bool, int, float]:
        if row.condition == CLEAN:
            return False, 0, 0.0
        return True, attacks.index(row.attack), float(row.epsilon)

    known = found[["condition", "attack", "epsilon"]].drop_duplicates()
    return [str(row.condition) for row in sorted(known.itertuples(), key=place)]


def wide(found: DataFrame, keys: Sequence[str], column: str, order: Sequence[str]) -> DataFrame:
    """One row per ``keys``; for each value ``x`` of ``column`` the columns x, x_low, x_high.

    Ends with ``seeds`` and ``n``, the fewest behind any value of the row.
    """
    rows = []
    for key, part in found.groupby(list(keys), sort=False):
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        by_name = {getattr(one, column): one for one in part.itertuples()}
        for name in order:
            one: Any = by_name.get(name)
            row[name] = one.value if one else math.nan
            row[f"{name}_low"] = one.low if one else math.nan
            row[f"{name}_high"] = one.high if one else math.nan
        rows.append(row | {"seeds": int(part["seeds"].min()), "n": int(part["n"].min())})
    return pd.DataFrame(rows)

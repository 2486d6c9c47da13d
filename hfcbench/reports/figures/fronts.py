"""Models that no other beats in clean, robust and LFC accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from hfcbench.reports.figures.conditions import CLEAN
from hfcbench.reports.figures.estimates import summarise
from hfcbench.results.statistics import pareto_front

if TYPE_CHECKING:
    from pandas import DataFrame

WHO = ("model", "heuristics", "trained_on", "defence")


def front_table(found: DataFrame, attacked: Sequence[str], lfc: DataFrame) -> DataFrame:
    """Accuracies of the models that have both clean and robust accuracy, per attacked condition.

    Args:
        found: estimates by :data:`WHO` and ``condition``.
        attacked: the conditions of robust accuracy, in their order.
        lfc: accuracies on LFCs; where there are none, the table has no columns of them.

    Returns:
        :data:`WHO`, ``condition``, ``clean``, ``robust`` and ``lfc`` with their intervals;
        ``front`` of the first two, ``three_way_front`` of all (``unknown`` without LFC accuracy);
        ``seeds``.
    """
    low = summarise(lfc, list(WHO)) if len(lfc) else None
    return pd.concat([_of_condition(found, name, low) for name in attacked], ignore_index=True)


def _of_condition(found: DataFrame, condition: str, low: DataFrame | None) -> DataFrame:
    clean = found[found["condition"] == CLEAN]
    robust = found[found["condition"] == condition]
    both = clean.merge(robust, on=list(WHO), suffixes=("_clean", "_robust"), sort=False)
    table = both[list(WHO)].assign(condition=condition)
    for kind in ("clean", "robust"):
        table[kind] = both[f"value_{kind}"]
        table[f"{kind}_low"] = both[f"low_{kind}"]
        table[f"{kind}_high"] = both[f"high_{kind}"]
    table["front"] = _on_front(table, ["clean", "robust"])
    if low is not None:
        names = {"value": "lfc", "low": "lfc_low", "high": "lfc_high"}
        named = low.rename(columns=names)[[*WHO, *names.values()]]
        table = table.merge(named, on=list(WHO), how="left", sort=False)
        table["three_way_front"] = _on_front(table, ["clean", "lfc", "robust"])
    return table.assign(seeds=both["seeds_robust"])


def _on_front(table: DataFrame, names: list[str]) -> list[str]:
    """``yes``, ``no``, or ``unknown`` of rows that lack a value; those beat nobody."""
    known = table[names].notna().all(axis=1)
    points = list(table.loc[known, names].itertuples(index=False, name=None))
    on_front = iter(pareto_front(points))
    return [("yes" if next(on_front) else "no") if has_all else "unknown" for has_all in known]


def point_names(table: DataFrame, columns: Sequence[str]) -> list[str]:
    """What tells points apart: of the columns that say who, those with several values."""
    several = [name for name in columns if table[name].nunique() > 1] or ["model"]
    found = []
    for row in table.to_dict("records"):
        parts = [
            f"seed {row[name]}" if name == "seed" else str(row[name])
            for name in several
            if row[name] != "none"
        ]
        found.append(", ".join(parts) or "undefended")
    return found

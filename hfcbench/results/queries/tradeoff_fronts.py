"""Which models compare in accuracy and robust accuracy, and which of those none beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.results.queries.naming import SECTION
from hfcbench.results.statistics import half_width, pareto_front

if TYPE_CHECKING:
    import pandas as pd

COMPARED = (*SECTION, "n_attacked", "images", "faced")
"""Rows compare only if they agree in all of these; the cut and epsilon are those of all rows."""

FRONT = ("clean", "robust")
THREE_WAY_FRONT = ("clean", "lfc", "robust")
_CONFIGURATION = (
    *("configuration", "model", "heuristics", "trained_on", "defence", "defence_version"),
)
_SEVERAL = "*"


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the trainings that differ by their seed only and compare; ``rows`` of them.

    A mean is NaN unless all of them have the value. Its interval is Student's t, cut off at 0 and
    1; of a single training it stays as it is. A mean has the flags of all.
    """
    import numpy as np

    grouped: Any = rows.groupby([*COMPARED, *_CONFIGURATION], dropna=False, sort=False)
    found: pd.DataFrame = grouped.nth(0).reset_index(drop=True)
    counts = grouped.size().to_numpy()
    for name in ("clean", "lfc", "robust", "gap"):
        whole = grouped[name].count().to_numpy() == counts
        found[name] = np.where(whole, grouped[name].mean(), np.nan)
    for name in THREE_WAY_FRONT:
        half = half_width(grouped[name].std().to_numpy(), counts)
        ends = {
            "low": (found[name] - half).clip(lower=0),
            "high": (found[name] + half).clip(upper=1),
        }
        for end, values in ends.items():
            found[f"{name}_{end}"] = np.where(counts > 1, values, found[f"{name}_{end}"])
    found["flags"] = grouped["flags"].agg(_all_flags).to_numpy()
    for name in ("seed", "training"):
        found[name] = found[name].astype(object).where(counts == 1, _SEVERAL)
    return found.assign(rows=counts)


def with_fronts(rows: pd.DataFrame) -> pd.DataFrame:
    """Add ``group``, ``front`` and ``three_way_front``, and sort.

    Rows that compare share a ``group``, counted from 1; in each the most accurate is first. For the
    values of both fronts see :meth:`hfcbench.results.store.Store.tradeoff`.
    """
    # Seeds stay in the order that they are in.
    order = [*COMPARED, "clean", "robust", "model", "heuristics", "defence"]
    descending = ("n", "n_attacked", "clean", "robust")
    rows = rows.sort_values(order, ascending=[name not in descending for name in order])
    rows = rows.reset_index(drop=True)
    grouped = rows.groupby(list(COMPARED), dropna=False, sort=False)
    rows["group"] = grouped.ngroup() + 1
    for column, names in (("front", FRONT), ("three_way_front", THREE_WAY_FRONT)):
        rows[column] = ""
        for _, part in grouped:
            rows.loc[part.index, column] = _verdicts(part, names)
    return rows


def _verdicts(part: pd.DataFrame, names: Sequence[str]) -> list[str]:
    known = part[list(names)].notna().all(axis=1)
    trusted = part["flags"] == ""
    counted = part[known & trusted]
    on_front = dict(
        zip(
            counted.index,
            pareto_front(list(counted[list(names)].itertuples(index=False, name=None))),
            strict=True,
        )
    )
    verdicts = []
    for index in part.index:
        if index in on_front:
            beaten_by_none = "yes" if on_front[index] else "no"
            verdicts.append(beaten_by_none if len(on_front) > 1 else "alone")
        else:
            verdicts.append("unknown" if trusted[index] else "flagged")
    return verdicts


def _all_flags(texts: pd.Series) -> str:
    return "; ".join(dict.fromkeys(flag for text in texts for flag in text.split("; ") if flag))

"""Ranking leaderboard rows against those that they compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.errors import UsageError, nearest

if TYPE_CHECKING:
    import pandas as pd

COMPARABLE = (
    *("dataset", "fingerprint", "split"),
    *("decomposition", "decomposition_version", "rescaling", "n"),
)
"""Rows rank against each other only if they agree in all of these."""

_SEVERAL = "*"
# Means of equal numbers differ in their last bits; ties must not.
_DIGITS = 12


def ranked(
    frame: pd.DataFrame,
    sort: str,
    measured: Sequence[str],
    attacks: Sequence[str],
    *,
    lower_is_better: bool,
) -> pd.DataFrame:
    """Sort rows, best first among those that compare, and put the column ``rank`` in front.

    Equal values share a rank and the next one follows after all of them (1, 2, 2, 4). What is not
    finite has no rank and comes last. Sorting by a name ranks by ``original`` all the same.

    Args:
        frame: leaderboard rows.
        sort: a column; a minus in front reverses the order, not the ranks.
        measured: the columns that hold scores.
        attacks: those of them that are over ``n_attacked`` images.
        lower_is_better: whether the smallest score is the best.

    Raises:
        UsageError: there is no such column to sort by.
    """
    column, reverse = sort.removeprefix("-"), sort.startswith("-")
    if column not in frame.columns:
        if len(frame):
            raise UsageError(
                f"the leaderboard has no column '{column}' to sort by; "
                + nearest(column, map(str, frame.columns))
            )
        column = "original"
    by_score = column in measured
    value = (frame[column] if by_score else frame["original"]).round(_DIGITS)
    value = value.where(value.abs() < float("inf"))
    groups = [*COMPARABLE, "n_attacked"] if column in attacks else [*COMPARABLE]
    together = frame[groups].assign(value=value).groupby(groups, dropna=False)["value"]
    rank = together.rank(method="min", ascending=lower_is_better).astype("Int64")
    ascending = (lower_is_better if by_score else True) ^ reverse
    frame = frame.assign(sort_value=value if by_score else frame[column])
    frame.insert(0, "rank", rank)
    names = [name for name in ("model", "heuristics", "defence", "seed") if name in frame]
    order = [*groups, "sort_value", *names]
    directions = [name != "n" and name != "n_attacked" for name in groups]
    frame = frame.sort_values(
        order, ascending=[*directions, ascending, *(True for _ in names)], na_position="last"
    )
    return frame.drop(columns="sort_value").reset_index(drop=True)


def grouped(frame: pd.DataFrame, group: str, measured: Sequence[str]) -> pd.DataFrame:
    """Means of the rows that compare and share a column; ``rows`` says of how many.

    A mean is NaN unless all of its rows have the score. Names that differ within a group become
    ``*``; there is no interval, since that of one model says nothing about several.

    Raises:
        UsageError: there is no such column, or it holds scores.
    """
    import pandas as pd

    names = [str(name) for name in frame.columns if name not in measured]
    if group not in names:
        raise UsageError(f"the leaderboard cannot be grouped by '{group}'; {nearest(group, names)}")
    keys = list(dict.fromkeys([*COMPARABLE, group]))
    rows = []
    for _, members in frame.groupby(keys, dropna=False, sort=False):
        row = {name: _common(members[name]) for name in names}
        row |= {name: members[name].mean(skipna=False) for name in measured}
        row |= {"original_low": float("nan"), "original_high": float("nan"), "rows": len(members)}
        rows.append(row)
    means = pd.DataFrame(rows, columns=[*map(str, frame.columns), "rows"])
    numbers = {"rows": "int64", "n": "int64"} | dict.fromkeys(measured, "float64")
    return means.astype(numbers)


def _common(values: pd.Series) -> object:
    return values.iloc[0] if values.nunique(dropna=False) == 1 else _SEVERAL

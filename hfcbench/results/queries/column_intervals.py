"""The 95% intervals of a leaderboard's scores, as columns beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ["training_id", "state", "n"]
_ENDS = ("low", "high")


def with_intervals(
    spread: pd.DataFrame, clean: pd.DataFrame, attacked: pd.DataFrame, order: Sequence[str]
) -> pd.DataFrame:
    """Add ``NAME_low`` and ``NAME_high`` behind every column of scores that has none yet.

    Args:
        spread: scores by (training_id, state, n), a column for each name of a condition.
        clean: the scores without attack: these keys, ``column``, ``low`` and ``high``.
        attacked: those under attack, over the images that ``robust`` is about.
        order: names of the columns.
    """
    import pandas as pd

    pairs = pd.MultiIndex.from_frame(spread.index.to_frame()[_KEYS[:2]])
    ends: dict[str, pd.Series] = {}
    for end in _ENDS:
        of_clean = _wide(clean, _KEYS, end)
        of_attacked = _wide(attacked, _KEYS[:2], end)
        for name in order:
            if name in of_clean:
                ends[f"{name}_{end}"] = of_clean[name].reindex(spread.index)
            elif name in of_attacked:
                values = of_attacked[name].reindex(pairs).to_numpy()
                ends[f"{name}_{end}"] = pd.Series(values, spread.index)
    attacks = [name for name in order if name in set(attacked.loc[~attacked["part"], "column"])]
    for end in _ENDS:
        ends[f"robust_{end}"] = _of_the_worst(spread, ends, attacks, end)
    columns: dict[str, pd.Series] = {}
    for name in map(str, spread.columns):
        columns[name] = spread[name]
        for key in (f"{name}_{end}" for end in _ENDS):
            if key in ends and key not in spread:
                columns[key] = ends[key]
    return pd.DataFrame(columns, index=spread.index)


def _of_the_worst(
    spread: pd.DataFrame, ends: dict[str, pd.Series], attacks: Sequence[str], end: str
) -> pd.Series:
    """The end of the interval of the first attack whose score is the robust one."""
    import pandas as pd

    found = pd.Series(float("nan"), spread.index)
    for name in reversed(attacks):
        decides = spread[name] == spread["robust"]
        found = found.mask(decides, ends[f"{name}_{end}"])
    return found


def _wide(scores: pd.DataFrame, keys: list[str], end: str) -> pd.DataFrame:
    # Of equal conditions the one stored last counts.
    newest = scores.drop_duplicates([*keys, "column"], keep="last")
    return newest.pivot(index=keys, columns="column", values=end).astype("float64")

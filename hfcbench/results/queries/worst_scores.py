"""The worst score of each model over the attacks that it is held against."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from hfcbench.results.queries.conditions import KnownCondition

if TYPE_CHECKING:
    import pandas as pd

Place: TypeAlias = tuple[int, int, int]
"""A score: training_id, condition_id and its number of images."""

_KEYS = ["training_id", "state"]
_CONTENT = ["dataset", "fingerprint", "scale"]


def on_most_images(attacked: pd.DataFrame) -> pd.DataFrame:
    """Of each model in each state, the attacks on the largest number of images: those compare."""
    most = attacked.groupby(_KEYS)["n"].transform("max")
    return attacked[attacked["n"] == most]


def worst_scores(
    attacked: pd.DataFrame,
    conditions: Mapping[int, KnownCondition],
    names: Mapping[int, str],
    trainings: pd.DataFrame,
    *,
    lower_is_better: bool,
    doubted: Collection[Place] = (),
) -> pd.DataFrame:
    """The worst score by training_id and state, with ``n`` and whether it is ``in_doubt``.

    It is unknown (NaN) where a score is no number, and unless a model faced every attack that any
    comparable one did: it must not look better for having been attacked less. Undefended models
    face what knows everything; there is nothing for other modes not to know. The worst score is in
    doubt if it is flagged; flags of others do not matter, since those do not decide.

    Args:
        attacked: training_id, state, condition_id, n and value of scores under attack.
        conditions: of these scores, by id.
        names: of the conditions' columns, by id; a model faced a column, whichever its state.
        trainings: by ``training_id``.
        doubted: flagged scores.
    """
    rows = on_most_images(attacked)
    of = [conditions[number] for number in rows["condition_id"]]
    rows = rows.assign(column=[names[item.condition_id] for item in of])
    rows["adaptive"] = [item.is_adaptive for item in of]
    rows["defended"] = [item.defence != "none" for item in of]
    rows["compared"] = _compared(rows["training_id"], of, trainings)
    places = zip(rows["training_id"], rows["condition_id"], rows["n"], strict=True)
    rows["flagged"] = [place in doubted for place in places]
    # Of equal conditions the one stored last counts.
    rows = rows.drop_duplicates([*_KEYS, "column"], keep="last")
    grouped: Any = rows.assign(wanted=_wanted(rows)).groupby(_KEYS)
    worst, known = _worst(grouped["value"], lower_is_better=lower_is_better), grouped["value"]
    complete = (known.count() == known.size()) & (known.size() >= grouped["wanted"].first())
    sound = _worst(
        rows.assign(value=rows["value"].mask(rows["flagged"])).groupby(_KEYS)["value"],
        lower_is_better=lower_is_better,
    )
    in_doubt = grouped["flagged"].any() & (sound != worst)
    found: pd.DataFrame = worst.where(complete).to_frame("value")
    return found.assign(n=grouped["n"].max(), in_doubt=in_doubt)


def _worst(grouped: Any, *, lower_is_better: bool) -> pd.Series:
    found: pd.Series = grouped.max() if lower_is_better else grouped.min()
    return found


def _compared(
    training_ids: pd.Series, conditions: Collection[KnownCondition], trainings: pd.DataFrame
) -> list[tuple[Any, ...]]:
    """What models must share to be held against each other."""
    content = trainings.loc[training_ids, _CONTENT].itertuples(index=False, name=None)
    return [
        (*row, item.procedure, item.split) for row, item in zip(content, conditions, strict=True)
    ]


def _wanted(rows: pd.DataFrame) -> pd.Series:
    """How many attacks each score's model must have faced."""
    by_comparison = rows["compared"]
    every = rows.groupby(by_comparison)["column"].transform("nunique")
    adaptive = rows["column"].where(rows["adaptive"]).groupby(by_comparison).transform("nunique")
    wanted: pd.Series = every.where(rows["defended"], adaptive)
    return wanted

"""Ranking rows against those that they compare with, from few numbers for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.results.queries.conditions import KnownCondition, column_names
from hfcbench.results.queries.naming import SECTION
from hfcbench.results.queries.worst_scores import Place, worst_scores

if TYPE_CHECKING:
    import pandas as pd

STATE = ("procedure", "split", "defence", "defence_version")

# Means of equal numbers differ in their last bits; ties must not.
_DIGITS = 12


@dataclass(frozen=True)
class Order:
    """What rows are sorted by.

    Attributes:
        column: a name, or a column of scores.
        conditions: those whose scores decide; of several for one row the worst counts.
        reverse: worst first; ranks stay as they are.
        lower_is_better: whether the smallest score is the best.
        by_name: the column is a name; ranks are those of the originals.
        attacked: scores are over the attacked images, whose number must agree as well.
    """

    column: str
    conditions: tuple[KnownCondition, ...]
    reverse: bool
    lower_is_better: bool
    by_name: bool = False
    attacked: bool = False


def in_sections(
    scores: pd.DataFrame,
    conditions: Mapping[int, KnownCondition],
    trainings: pd.DataFrame,
    order: Order,
    doubted: Collection[Place] = (),
) -> pd.DataFrame:
    """One row per training, defence, split, procedure and n that has a score on originals.

    Columns: those of the trainings, :data:`STATE`, ``n``, ``original``, ``sort_value``,
    ``n_sorted`` (0 but for attacks), ``in_doubt`` (whether flags keep it from having a sort value)
    and ``pairs``: training id and state of all that it stands for.

    Args:
        scores: of originals and of the order's conditions.
        conditions: of these scores, by id.
        trainings: by ``training_id``.
        order: how the rows will be sorted.
        doubted: flagged scores, which decide no rank.
    """
    import pandas as pd

    states = {str(condition.state): condition.state for condition in conditions.values()}
    of_condition = {number: str(condition.state) for number, condition in conditions.items()}
    scores = scores.assign(state=scores["condition_id"].map(of_condition))
    originals = [number for number, condition in conditions.items() if condition.is_original]
    keys = ["training_id", "state", "n"]
    clean = scores[scores["condition_id"].isin(originals)].drop_duplicates(keys, keep="last")
    rows = clean[[*keys, "value"]].rename(columns={"value": "original"})
    deciding = {condition.condition_id for condition in order.conditions}
    sorting = scores[scores["condition_id"].isin(deciding)]
    if not deciding:
        rows = rows.assign(sort_value=rows["original"], n_sorted=0)
    elif order.attacked:
        worst = worst_scores(
            sorting,
            conditions,
            column_names(order.conditions),
            trainings,
            lower_is_better=order.lower_is_better,
            doubted=doubted,
        )
        rows = rows.join(_deciding(worst), on=["training_id", "state"])
        rows["n_sorted"] = rows["n_sorted"].fillna(0).astype("int64")
    else:
        newest = sorting.drop_duplicates(keys, keep="last").set_index(keys)
        value = newest["value"].rename("sort_value")
        rows = rows.join(value, on=keys).assign(n_sorted=0)
    described = pd.DataFrame(list(states.values()), index=list(states), columns=list(STATE))
    rows = rows.join(described, on="state").join(trainings, on="training_id")
    in_doubt = rows.get("in_doubt", pd.Series(False, rows.index))
    rows["in_doubt"] = in_doubt.eq(True)
    pairs: Any = [(pair,) for pair in zip(rows["training_id"], rows["state"], strict=True)]
    return rows.assign(pairs=pairs)


def _deciding(worst: pd.DataFrame) -> pd.DataFrame:
    """What :func:`worst_scores` found as columns of rows: a flagged score decides nothing."""
    columns = {"n": "n_sorted", "value": "sort_value"}
    return worst.assign(value=worst["value"].mask(worst["in_doubt"])).rename(columns=columns)


def means(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Means over the rows of a section that share a column; NaN unless all of them have a score."""
    keys = [*SECTION, group]
    if group == "configuration":
        keys += ["defence", "defence_version"]
    grouped: Any = rows.groupby(keys, dropna=False, sort=False)
    averaged = grouped[["original", "sort_value"]].mean()
    whole = grouped[["original", "sort_value"]].count().eq(grouped.size(), axis=0)
    averaged = averaged.where(whole).assign(in_doubt=grouped["in_doubt"].any())
    own = ["original", "sort_value", "in_doubt", "pairs"]
    first = grouped.nth(0).set_index(keys).drop(columns=own)
    pairs = grouped["pairs"].agg(lambda values: tuple(pair for one in values for pair in one))
    combined: pd.DataFrame = first.join(averaged).join(pairs).join(grouped.size().rename("rows"))
    return combined.reset_index()


def ranked(rows: pd.DataFrame, order: Order) -> pd.DataFrame:
    """Add ``rank`` and sort: sections one after the other, in each the best first.

    Equal values share a rank and the next one follows after all of them (1, 2, 2, 4). What is not
    finite has no rank and comes last. Sorting by a name ranks by ``original`` all the same.
    """
    value = rows["sort_value"].round(_DIGITS)
    value = value.where(value.abs() < float("inf"))
    together = [*SECTION, "n_sorted"]
    groups = rows[together].assign(value=value).groupby(together, dropna=False)["value"]
    rank = groups.rank(method="min", ascending=order.lower_is_better).astype("Int64")
    rows = rows.assign(rank=rank, sort_key=rows[order.column] if order.by_name else value)
    names = ["model", "heuristics", "defence", "seed"]
    ascending = (True if order.by_name else order.lower_is_better) ^ order.reverse
    directions = [name not in ("n", "n_sorted") for name in together]
    rows = rows.sort_values(
        [*together, "sort_key", *names],
        ascending=[*directions, ascending, *(True for _ in names)],
        na_position="last",
    )
    return rows.drop(columns="sort_key").reset_index(drop=True)


def limited(rows: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """The first rows of every section."""
    if limit is None:
        return rows
    return rows.groupby(list(SECTION), dropna=False, sort=False).head(limit)

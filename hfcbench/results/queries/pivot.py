"""From the rows of a ranking to the leaderboard's frame: a column for every condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.results.queries.column_intervals import with_intervals
from hfcbench.results.queries.conditions import KnownCondition, KnownMetric, column_names
from hfcbench.results.queries.naming import SECTION
from hfcbench.results.queries.worst_scores import on_most_images, worst_scores
from hfcbench.results.statistics import half_width

if TYPE_CHECKING:
    import pandas as pd

_LAST = ("model_version", "defence_version", "training")
_SEVERAL = "*"
_FINGERPRINT_DIGITS = 12


@dataclass(frozen=True)
class LeaderboardRows:
    """What a leaderboard shows, before it is spread into columns.

    Attributes:
        ranked: rows of :func:`hfcbench.results.queries.ranking.ranked`.
        scores: of all members of these rows, with intervals.
        trainings: by ``training_id``.
        group: what the rows are means over; None where each is one training under one defence.
    """

    ranked: pd.DataFrame
    scores: pd.DataFrame
    trainings: pd.DataFrame
    group: str | None

    @staticmethod
    def empty() -> LeaderboardRows:
        import pandas as pd

        nothing = pd.DataFrame()
        return LeaderboardRows(nothing, nothing, nothing, None)


def pivoted(
    rows: LeaderboardRows,
    columns: Sequence[KnownCondition],
    metric: KnownMetric | None,
    names: Sequence[str],
    *,
    intervals: bool = False,
) -> pd.DataFrame:
    """The frame that ``Store.leaderboard`` describes.

    Args:
        rows: what is shown.
        columns: the conditions that get a column, in order; those of several defences share one.
        metric: what the scores are; None where there are none.
        names: the columns that tell models apart.
        intervals: whether every column of scores has the ends of its 95% interval behind it.
    """
    import pandas as pd

    heading = ["rank", *SECTION, *names]
    if metric is None or rows.ranked.empty:
        measured = ["original", "original_low", "original_high", "robust"]
        return pd.DataFrame(columns=[*heading, *measured, "n_attacked", "flags", *_LAST])
    spread = _spread(
        rows, columns, lower_is_better=not metric.higher_is_better, intervals=intervals
    )
    ranked = rows.ranked.reset_index(drop=True)
    if rows.group is None:
        values = spread.reindex(_keys(ranked)).reset_index(drop=True)
    else:
        values = _averaged(ranked, spread)
        ranked = _common_names(ranked, rows, names)
        heading.append("rows")
    frame = pd.concat([ranked[heading], values, ranked[list(_LAST)]], axis=1)
    frame["fingerprint"] = frame["fingerprint"].str[:_FINGERPRINT_DIGITS]
    frame["n_attacked"] = frame["n_attacked"].fillna(0).astype("int64")
    return frame


def _keys(ranked: pd.DataFrame) -> pd.MultiIndex:
    import pandas as pd

    return pd.MultiIndex.from_frame(ranked[["training_id", "state", "n"]])


def _spread(
    rows: LeaderboardRows,
    columns: Sequence[KnownCondition],
    *,
    lower_is_better: bool,
    intervals: bool,
) -> pd.DataFrame:
    """Scores by (training_id, state, n), a column for each name of a condition."""
    import pandas as pd

    names = column_names(columns)
    by_id = {condition.condition_id: condition for condition in columns}
    scores = rows.scores.assign(
        state=[str(by_id[number].state) for number in rows.scores["condition_id"]],
        column=[names[number] for number in rows.scores["condition_id"]],
        attacked=[by_id[number].is_attacked for number in rows.scores["condition_id"]],
        part=[by_id[number].cut is not None for number in rows.scores["condition_id"]],
    )
    clean, attacked = scores[~scores["attacked"]], scores[scores["attacked"]]
    keys = ["training_id", "state", "n"]
    wide = _wide(clean, keys)
    attacked = on_most_images(attacked)
    wide_attacked = _wide(attacked, keys[:2])
    original = clean[clean["column"] == "original"].drop_duplicates(keys, keep="last")
    bounds = original.set_index(keys)[["low", "high"]].astype("float64")
    found: dict[str, Any] = {
        "original": wide["original"],
        "original_low": bounds["low"].reindex(wide.index),
        "original_high": bounds["high"].reindex(wide.index),
    }
    order = list(dict.fromkeys(names[condition.condition_id] for condition in columns))
    found |= {name: wide[name] for name in order if name in wide and name != "original"}
    index: Any = wide.index
    pairs = index.droplevel("n")
    for name in order:
        if name in wide_attacked:
            found[name] = wide_attacked[name].reindex(pairs).to_numpy()
    worst = worst_scores(
        attacked[~attacked["part"]],
        by_id,
        names,
        rows.trainings,
        lower_is_better=lower_is_better,
    )
    found["robust"] = worst["value"].reindex(pairs).to_numpy()
    found["n_attacked"] = worst["n"].reindex(pairs).to_numpy()
    frame = pd.DataFrame(found, index=wide.index)
    return with_intervals(frame, clean, attacked, order) if intervals else frame


def _wide(scores: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    # Of equal conditions the one stored last counts.
    newest = scores.drop_duplicates([*keys, "column"], keep="last")
    return newest.pivot(index=keys, columns="column", values="value").astype("float64")


def _averaged(ranked: pd.DataFrame, spread: pd.DataFrame) -> pd.DataFrame:
    """Means and standard deviations over the members of each row.

    A mean is NaN unless all of its members have the score. There is no Wilson interval over
    several trainings: ``original_low`` and ``original_high`` are Student's t interval of the mean.
    """
    import pandas as pd

    measured = [name for name in spread if name not in ("original_low", "original_high")]
    keys = [
        (*pair, n) for pairs, n in zip(ranked["pairs"], ranked["n"], strict=True) for pair in pairs
    ]
    members = spread[measured].reindex(pd.MultiIndex.from_tuples(keys, names=spread.index.names))
    grouped: Any = members.groupby(_row_numbers(ranked))
    sizes = grouped.size()
    complete = grouped.count().eq(sizes, axis=0)
    means = grouped.mean().where(complete)
    deviations = grouped.std(ddof=1).where(complete)
    margins = half_width(deviations["original"].to_numpy(), sizes.to_numpy())
    means["original_low"] = means["original"] - margins
    means["original_high"] = means["original"] + margins
    deviations = deviations.drop(columns="n_attacked").add_suffix(" sd")
    averaged: pd.DataFrame = means[[*spread]].join(deviations)
    return averaged


def _common_names(
    ranked: pd.DataFrame, rows: LeaderboardRows, names: Sequence[str]
) -> pd.DataFrame:
    """Names that differ within a row become ``*``."""
    import pandas as pd

    of_trainings = [name for name in (*names, *_LAST) if name in rows.trainings]
    ids = [training for pairs in ranked["pairs"] for training, _ in pairs]
    grouped: Any = rows.trainings.loc[ids, of_trainings].groupby(_row_numbers(ranked))
    values = grouped.nth(0).reset_index(drop=True).astype(object)
    values = values.where(grouped.nunique(dropna=False) == 1, _SEVERAL)
    one_state = pd.Series([len({state for _, state in pairs}) == 1 for pairs in ranked["pairs"]])
    for name in ("defence", "defence_version"):
        values[name] = ranked[name].where(one_state, _SEVERAL)
    return ranked.assign(**values)


def _row_numbers(ranked: pd.DataFrame) -> Any:
    """For each member of each row, the row's number."""
    import numpy as np

    return np.repeat(np.arange(len(ranked)), [len(pairs) for pairs in ranked["pairs"]])

"""Between which ranks each row of a leaderboard lies, from stored predictions or intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.results.queries.conditions import KnownCondition, KnownMetric
from hfcbench.results.queries.images import predictions_frame
from hfcbench.results.queries.naming import SECTION
from hfcbench.results.queries.ranking import Order
from hfcbench.results.schema import Dataset, Evaluation, Prediction, Score
from hfcbench.results.statistics import overlapping_ranks, rank_intervals

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 200
"""In a section of more rows their predictions are not read."""

_OF_IMAGES = {"top1": "correct", "loss": "loss"}


def with_rank_intervals(
    connection: Connection,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    shown: pd.DataFrame,
    metric: KnownMetric,
    order: Order,
    conditions: Mapping[int, KnownCondition],
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Add the columns ``rank_low`` and ``rank_high`` behind the rank.

    Images are resampled for all rows of a section at once, so a section has rank intervals only if
    all of its rows were evaluated on the same images, and none was cut off by the limit. Scores of
    detectors are no means over images: there, rows whose intervals overlap may change places.

    Args:
        frame: the leaderboard, in the order of ``shown``.
        rows: all rows that were ranked.
        shown: those of them that the frame shows.
        conditions: of originals and of the order, by id.

    Returns:
        The frame, and how many rows have no interval, for each reason.
    """
    import pandas as pd

    low = pd.Series(pd.NA, index=shown.index, dtype="Int64")
    high = low.copy()
    reasons: dict[str, int] = {}
    sizes: Any = rows.groupby([*SECTION, "n_sorted"], dropna=False).size()
    for key, section in shown.groupby([*SECTION, "n_sorted"], dropna=False):
        ranked = section[section["rank"].notna()]
        if ranked.empty:
            continue
        of_detectors = _is_of_detectors(connection, ranked)
        read = _intervals if of_detectors else _values
        why, values = read(connection, ranked, metric, order, conditions)
        if sizes[key] > len(section):
            why = "some rows of the ranking are beyond the limit"
        if why is None:
            better = metric.higher_is_better
            if of_detectors:
                ends = overlapping_ranks(*values, higher_is_better=better)
            else:
                ends = rank_intervals(values, higher_is_better=better)
            low[ranked.index], high[ranked.index] = ends
        else:
            reasons[why] = reasons.get(why, 0) + len(ranked)
    frame.insert(1, "rank_low", low.to_numpy())
    frame.insert(2, "rank_high", high.to_numpy())
    return frame, [
        (count, f"rows without a rank interval: {why}") for why, count in reasons.items() if count
    ]


def _values(
    connection: Connection,
    section: pd.DataFrame,
    metric: KnownMetric,
    order: Order,
    conditions: Mapping[int, KnownCondition],
) -> tuple[str | None, Any]:
    """What each row scored on each image, shape (K,N); or why that is not known."""
    import numpy as np

    column = _OF_IMAGES.get(metric.name)
    if column is None:
        return f"metric '{metric.name}' is no mean over images", None
    if len(section) > MOST_ROWS:
        return f"more than {MOST_ROWS} rows are ranked", None
    found: list[tuple[str, int]] = []
    for training_id, condition_id, n in _deciding(section, order, conditions):
        if condition_id is None:
            return "they are over several evaluations", None
        statement = (
            select(Evaluation.identity, Prediction.label_set_id)
            .join(Prediction, Prediction.evaluation_id == Evaluation.evaluation_id)
            .where(Evaluation.training_id == training_id, Evaluation.condition_id == condition_id)
            .order_by(Evaluation.n.desc(), Evaluation.evaluation_id.desc())
        )
        if not order.attacked:
            statement = statement.where(Evaluation.n == n)
        row = connection.execute(statement).first()
        if row is None:
            return "their predictions are not stored", None
        found.append((row[0], row[1]))
    if len({labels for _, labels in found}) > 1:
        return "they are not over the same images", None
    frames = [predictions_frame(connection, identity) for identity, _ in found]
    return None, np.array([frame[column].to_numpy() for frame in frames])


def _is_of_detectors(connection: Connection, section: pd.DataFrame) -> bool:
    content = section["fingerprint"].iloc[0]
    tasks = connection.scalars(select(Dataset.task).where(Dataset.fingerprint == content))
    return set(tasks) == {"detection"}


def _intervals(
    connection: Connection,
    section: pd.DataFrame,
    metric: KnownMetric,
    order: Order,
    conditions: Mapping[int, KnownCondition],
) -> tuple[str | None, Any]:
    """The ends of each row's interval, ``(K,)`` each; or why they are not known."""
    import numpy as np

    found = []
    for training_id, condition_id, n in _deciding(section, order, conditions):
        if condition_id is None:
            return "they are over several evaluations", None
        row = connection.execute(
            select(Score.low, Score.high)
            .where(Score.metric_id == metric.metric_id, Score.condition_id == condition_id)
            .where(Score.training_id == training_id, Score.n == n)
            .order_by(Score.evaluation_id.desc())
        ).first()
        found.append((np.nan, np.nan) if row is None else tuple(row))
    low, high = np.array(found, dtype=np.float64).reshape(-1, 2).T
    if not np.isfinite([low, high]).all():
        return "a score has no interval", None
    return None, (low, high)


def _deciding(
    section: pd.DataFrame, order: Order, conditions: Mapping[int, KnownCondition]
) -> Iterator[tuple[int, int | None, int]]:
    """Of each row, its training, the condition that decides its rank, and its number of images.

    There is no such condition for what stands for several evaluations.
    """
    deciding = {item.condition_id for item in order.conditions}
    if not deciding:
        deciding = {number for number, item in conditions.items() if item.is_original}
    for pairs, n in zip(section["pairs"], section["n"], strict=True):
        states = {state for _, state in pairs}
        ids = [number for number in deciding if str(conditions[number].state) in states]
        single = len(pairs) == len(ids) == 1
        yield pairs[0][0], ids[0] if single else None, n

"""Scores as plain columns of numbers: only those that a question needs leave the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    exists,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute

from hfcbench.results.queries.conditions import KnownMetric
from hfcbench.results.schema import Condition, Dataset, Score, Training

if TYPE_CHECKING:
    import pandas as pd

_STATES = {"infinity": float("inf"), "-infinity": float("-inf")}
_TRAINING_COLUMNS = {
    "training_id": Training.training_id,
    "dataset": Dataset.name,
    "fingerprint": Dataset.fingerprint,
    "scale": Training.scale,
    "configuration": Training.configuration,
    "model": Training.model,
    "heuristics": Training.heuristics,
    "trained_on": Training.trained_on,
    "seed": Training.seed,
    "epochs": Training.epochs,
    "model_version": Training.model_version,
    "training": Training.identity,
}


def condition_ids_where(connection: Connection, clause: ColumnElement[bool]) -> set[int]:
    """The conditions that a filter leaves for at least one training."""
    some_training = (
        select(Training.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(clause)
        .correlate(Condition)
    )
    statement = select(Condition.condition_id).where(some_training.exists())
    return set(connection.scalars(statement))


def scored_conditions(connection: Connection, metric: KnownMetric) -> set[int]:
    """The conditions under which anything has a score of this metric: one look for each."""
    mine = (Score.condition_id == Condition.condition_id, Score.metric_id == metric.metric_id)
    return set(connection.scalars(select(Condition.condition_id).where(exists().where(*mine))))


def scores_under(
    connection: Connection,
    metric: KnownMetric,
    condition_ids: Collection[int],
    clause: ColumnElement[bool],
) -> pd.DataFrame:
    """All models' scores under some conditions: training_id, condition_id, n, value.

    The index ``ix_scores_ranking`` holds all of it.
    """
    statement = (
        select(Score.training_id, Score.condition_id, Score.n, Score.value, Score.state)
        .join_from(Score, Training, Training.training_id == Score.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .join(Condition, Condition.condition_id == Score.condition_id)
        .where(Score.metric_id == metric.metric_id)
        .where(among(Score.condition_id, condition_ids), clause)
    )
    return _numbers(connection, statement)


def scores_of(
    connection: Connection,
    metric: KnownMetric,
    wanted: Iterable[tuple[Collection[int], Collection[int]]],
) -> pd.DataFrame:
    """Scores of some trainings under some conditions, with intervals and evaluation_id.

    Args:
        wanted: pairs of training ids and of the condition ids that are wanted of those.
    """
    import pandas as pd

    columns = (
        *(Score.training_id, Score.condition_id, Score.n, Score.value, Score.state),
        *(Score.low, Score.high, Score.evaluation_id),
    )
    frames = [
        _numbers(
            connection,
            select(*columns)
            .where(Score.metric_id == metric.metric_id)
            .where(among(Score.condition_id, condition_ids))
            .where(among(Score.training_id, training_ids)),
        )
        for training_ids, condition_ids in wanted
    ]
    return pd.concat(frames).sort_values("evaluation_id").reset_index(drop=True)


def finite_scores(
    connection: Connection,
    metric: KnownMetric,
    training_ids: Collection[int],
    condition_ids: Collection[int],
) -> pd.DataFrame:
    """Scores that are numbers: training_id, condition_id, n, value; the index holds all of it."""
    import pandas as pd

    columns = (Score.training_id, Score.condition_id, Score.n, Score.value)
    rows = connection.execute(
        select(*columns)
        .where(Score.metric_id == metric.metric_id, Score.value.is_not(None))
        .where(among(Score.condition_id, condition_ids), among(Score.training_id, training_ids))
    ).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])


def trainings_where(
    connection: Connection, training_ids: Collection[int] | None = None
) -> pd.DataFrame:
    """What is known of trainings, with ``training_id`` as the index."""
    import pandas as pd

    columns = [column.label(name) for name, column in _TRAINING_COLUMNS.items()]
    chosen = true() if training_ids is None else among(Training.training_id, training_ids)
    rows = connection.execute(select(*columns).join_from(Training, Dataset).where(chosen))
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(_TRAINING_COLUMNS))
    return frame.set_index("training_id")


def among(column: InstrumentedAttribute[int], keys: Collection[int]) -> ColumnElement[bool]:
    """Whether a key is one of many: written into the statement, which takes few parameters."""
    values = bindparam(None, list(keys), expanding=True, literal_execute=True, type_=Integer)
    return column.in_(values)


def _numbers(connection: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    names = [column.name for column in statement.selected_columns]
    rows = connection.execute(statement).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=names)
    states = frame.pop("state")
    frame["value"] = frame["value"].astype("float64")
    for state, value in _STATES.items():
        frame.loc[states == state, "value"] = value
    return frame

"""Tidy pandas frames: one row per score, or per point of a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from hfcbench.errors import UsageError
from hfcbench.results.column_types import measured_value
from hfcbench.results.queries.conditions import known_conditions
from hfcbench.results.queries.reliability import flags
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import (
    Condition,
    Curve,
    Dataset,
    Epoch,
    Evaluation,
    Metric,
    Score,
    Training,
)
from hfcbench.results.writing.conditions import NO_ATTACK

if TYPE_CHECKING:
    import pandas as pd

ROW_LIMIT = 200_000
"""How many rows a frame may have unless more are asked for: nobody wants a million by accident."""

_OF_TRAINING = (
    Dataset.name.label("dataset"),
    Dataset.fingerprint,
    Training.scale,
    Training.model,
    Training.model_version,
    Training.heuristics,
    Training.trained_on,
    Training.seed,
    Training.epochs,
    Training.identity.label("training"),
)
_SCORES = (
    *_OF_TRAINING,
    Evaluation.identity.label("evaluation"),
    Condition.procedure,
    Condition.split,
    Condition.defence,
    Condition.defence_version,
    Condition.attack,
    Condition.attack_version,
    Condition.epsilon,
    Condition.attack_norm,
    Condition.criterion,
    Condition.attack_mode,
    Condition.attack_precision,
    Condition.smaller_epsilons,
    Condition.component,
    Condition.part,
    Condition.cutoff,
    Condition.cutoff_inner,
    Condition.decomposition,
    Condition.decomposition_version,
    Condition.rescaling,
    Metric.name.label("metric"),
    Metric.version.label("metric_version"),
    Score.value,
    Score.low,
    Score.high,
    Score.n,
    Evaluation.device,
    Evaluation.started_at,
    Evaluation.duration_seconds,
    Evaluation.evaluation_id,
    Evaluation.training_id,
    Evaluation.condition_id,
    Score.state,
)
_POINTS = (
    *_OF_TRAINING,
    Curve.split,
    Curve.component,
    Curve.decomposition,
    Curve.rescaling,
    Curve.metric,
    Epoch.epoch,
    Epoch.value,
    Curve.n,
    Training.training_id,
    Curve.curve_id,
    Epoch.state,
)
_NUMBERS = ("epsilon", "cutoff", "cutoff_inner", "value", "low", "high", "duration_seconds")


def evaluations_frame(
    connection: Connection,
    where: Filter,
    metric: str | None,
    limit: int | None,
    flagged: bool | None = None,
) -> pd.DataFrame:
    """One row per score, in the order in which the evaluations were stored."""
    statement = (
        select(*_SCORES)
        .join_from(Score, Evaluation, Evaluation.evaluation_id == Score.evaluation_id)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Metric, Metric.metric_id == Score.metric_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset)
        .where(where.clause())
    )
    if metric is not None:
        statement = statement.where(Metric.name == metric)
    if flagged:
        statement = statement.where(Condition.attack != NO_ATTACK)
    # Sorted here: SQLite would rather walk all scores in order than find the few in question.
    order = ["evaluation_id", "metric", "metric_version"]
    frame = _with_flags(connection, _frame(connection, statement, limit, order))
    if flagged is None:
        return frame
    return frame[(frame["flags"] != "") == flagged].reset_index(drop=True)


def _with_flags(connection: Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column of flags in the place of keys."""
    places = list(zip(frame["training_id"], frame["condition_id"], frame["n"], strict=True))
    attacked = frame[frame["attack"] != NO_ATTACK]
    keys = (set(attacked["training_id"]), set(attacked["condition_id"]))
    found = flags(connection, known_conditions(connection), *keys) if len(attacked) else {}
    texts = [", ".join(found.get(place, ())) for place in places]
    frame.insert(list(frame.columns).index("n") + 1, "flags", texts)
    return frame.drop(columns=["training_id", "condition_id"])


def curves_frame(
    connection: Connection,
    where: Filter,
    metric: str | None,
    split: str | None,
    component: str | None,
    limit: int | None,
) -> pd.DataFrame:
    """One row per point of the training curves, by training, curve and epoch."""
    statement = (
        select(*_POINTS).join_from(Epoch, Curve).join(Training).join(Dataset).where(where.clause())
    )
    for column, wanted in (
        (Curve.metric, metric),
        (Curve.split, split),
        (Curve.component, component),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return _frame(connection, statement, limit, ["training_id", "curve_id", "epoch"])


def _frame(
    connection: Connection, statement: Select[*tuple[Any, ...]], limit: int | None, order: list[str]
) -> pd.DataFrame:
    """Run a statement.

    Raises:
        UsageError: there are more rows than the limit; none are returned then.
    """
    import pandas as pd

    if limit is not None:
        statement = statement.limit(limit + 1)
    rows = connection.execute(statement).all()
    if limit is not None and len(rows) > limit:
        raise UsageError(
            f"the answer has more than {limit} rows; restrict it, or give a higher limit "
            "(None for no limit)"
        )
    names = [column.name for column in statement.selected_columns]
    frame = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)
    frame["value"] = [
        measured_value(value, state)
        for value, state in zip(frame["value"], frame.pop("state"), strict=True)
    ]
    for name in _NUMBERS:
        if name in frame:
            frame[name] = frame[name].astype("float64")
    keys = [name for name in order if name.endswith("_id")]
    return frame.sort_values(order).drop(columns=keys).reset_index(drop=True)

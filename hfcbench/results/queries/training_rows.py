"""What is known of trainings, and of the classes that detectors found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from hfcbench.results.column_types import measured_value
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import ClassScore, Condition, Dataset, Evaluation, Metric, Training

if TYPE_CHECKING:
    import pandas as pd

_TRAININGS = (
    Training.identity.label("training"),
    Dataset.name.label("dataset"),
    Dataset.fingerprint,
    Training.scale,
    Training.configuration,
    Training.model,
    Training.model_version,
    Training.heuristics,
    Training.trained_on,
    Training.seed,
    Training.epochs,
    Training.parameter_count,
)
_CLASSES = (
    Training.identity.label("training"),
    Evaluation.identity.label("evaluation"),
    Condition.split,
    Condition.defence,
    Condition.attack,
    Condition.epsilon,
    Condition.component,
    Condition.part,
    Condition.cutoff,
    Condition.decomposition,
    Condition.rescaling,
    Metric.name.label("metric"),
    Metric.version.label("metric_version"),
    ClassScore.class_name,
    ClassScore.value,
    ClassScore.low,
    ClassScore.high,
    ClassScore.n,
    ClassScore.state,
)


def training_rows(connection: Connection, where: Filter) -> pd.DataFrame:
    """One row per training, in the order in which they were stored."""
    import pandas as pd

    rows = connection.execute(
        select(*_TRAININGS)
        .join_from(Training, Dataset)
        .where(where.clause())
        .order_by(Training.training_id)
    )
    names = [column.name for column in _TRAININGS]
    return pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)


def class_score_rows(connection: Connection, where: Filter) -> pd.DataFrame:
    """One row per score of a class, by evaluation, metric and class."""
    import pandas as pd

    rows = connection.execute(
        select(*_CLASSES)
        .join_from(ClassScore, Evaluation, Evaluation.evaluation_id == ClassScore.evaluation_id)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Metric, Metric.metric_id == ClassScore.metric_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(where.clause())
        .order_by(
            *(Evaluation.evaluation_id, Metric.name, Metric.version, ClassScore.class_name),
        )
    )
    names = [column.name for column in _CLASSES]
    frame = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)
    states = zip(frame["value"], frame.pop("state"), strict=True)
    frame["value"] = [measured_value(value, state) for value, state in states]
    for name in ("epsilon", "cutoff", "value", "low", "high"):
        frame[name] = frame[name].astype("float64")
    return frame

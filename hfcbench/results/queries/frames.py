"""Tidy pandas frames: one row per score, or per point of a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from hfcbench.references import split_combination
from hfcbench.results.column_types import measured_value
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
from hfcbench.results.writing.rows import rows_among

if TYPE_CHECKING:
    import pandas as pd


class TrainingFilters(TypedDict, total=False):
    """Which trainings a frame is about; what is absent or None does not matter.

    Attributes:
        dataset: name.
        fingerprint: beginning of the dataset's fingerprint.
        model: beginning of the label, e.g. ``resnet18``.
        heuristic: one of the training's heuristics, with or without parameters; ``vanilla`` means
            a training with none.
        trained_on: component, e.g. ``original``.
        trainings: identities.
    """

    dataset: str | None
    fingerprint: str | None
    model: str | None
    heuristic: str | None
    trained_on: str | None
    trainings: Sequence[str] | None


class EvaluationFilters(TrainingFilters, total=False):
    """Which evaluations a frame is about.

    Attributes:
        defence: label with or without its parameters; ``none`` means undefended.
        split: e.g. ``test``.
        decomposition: label; originals always belong to it.
        rescaling: originals always belong to it.
    """

    defence: str | None
    split: str | None
    decomposition: str | None
    rescaling: str | None


_OF_TRAINING = (
    Dataset.name.label("dataset"),
    Dataset.fingerprint,
    Training.model,
    Training.model_version,
    Training.heuristics,
    Training.trained_on,
    Training.scale,
    Training.seed,
    Training.epochs,
    Training.identity.label("training"),
)
_SCORES = (
    *_OF_TRAINING,
    Evaluation.identity.label("evaluation"),
    Condition.split,
    Condition.defence,
    Condition.defence_version,
    Condition.attack,
    Condition.attack_version,
    Condition.epsilon,
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
    Epoch.state,
)
_NUMBERS = ("epsilon", "cutoff", "cutoff_inner", "value", "low", "high", "duration_seconds")


def evaluations_frame(
    connection: Connection, filters: EvaluationFilters, metric: str | None
) -> pd.DataFrame:
    """One row per score, in the order in which the evaluations were stored."""
    statement = (
        select(*_SCORES)
        .join_from(Score, Evaluation)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Metric, Metric.metric_id == Score.metric_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset)
        .where(*_training_conditions(filters), *_evaluation_conditions(filters))
        .order_by(Evaluation.evaluation_id, Metric.name, Metric.version)
    )
    if metric is not None:
        statement = statement.where(Metric.name == metric)
    return _frame(connection, statement, filters)


def curves_frame(
    connection: Connection,
    filters: TrainingFilters,
    metric: str | None,
    split: str | None,
    component: str | None,
) -> pd.DataFrame:
    """One row per point of the training curves, by training, curve and epoch."""
    statement = (
        select(*_POINTS)
        .join_from(Epoch, Curve)
        .join(Training)
        .join(Dataset)
        .where(*_training_conditions(filters))
        .order_by(Training.training_id, Curve.curve_id, Epoch.epoch)
    )
    for column, wanted in (
        (Curve.metric, metric),
        (Curve.split, split),
        (Curve.component, component),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return _frame(connection, statement, filters)


def _frame(
    connection: Connection, statement: Select[*tuple[Any, ...]], filters: TrainingFilters
) -> pd.DataFrame:
    import pandas as pd

    trainings = filters.get("trainings")
    if trainings is None:
        rows: Any = connection.execute(statement)
    else:
        rows = rows_among(connection, statement, Training.identity, trainings)
    names = [column.name for column in statement.selected_columns]
    frame = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)
    frame["value"] = [
        measured_value(value, state)
        for value, state in zip(frame["value"], frame.pop("state"), strict=True)
    ]
    for name in _NUMBERS:
        if name in frame:
            frame[name] = frame[name].astype("float64")
    heuristic = filters.get("heuristic")
    if heuristic is not None:
        wanted = [_has_heuristic(label, heuristic) for label in frame["heuristics"]]
        frame = frame[pd.Series(wanted, index=frame.index, dtype=bool)].reset_index(drop=True)
    return frame


def _training_conditions(filters: TrainingFilters) -> list[ColumnElement[bool]]:
    conditions = []
    for column, wanted in (
        (Dataset.name, filters.get("dataset")),
        (Training.trained_on, filters.get("trained_on")),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    for column, beginning in (
        (Training.model, filters.get("model")),
        (Dataset.fingerprint, filters.get("fingerprint")),
    ):
        if beginning is not None:
            conditions.append(func.substr(column, 1, len(beginning)) == beginning)
    return conditions


def _evaluation_conditions(filters: EvaluationFilters) -> list[ColumnElement[bool]]:
    conditions = []
    defence, split = filters.get("defence"), filters.get("split")
    if defence is not None:
        name = f"{defence}("
        conditions.append(
            or_(
                Condition.defence == defence,
                func.substr(Condition.defence, 1, len(name)) == name,
            )
        )
    if split is not None:
        conditions.append(Condition.split == split)
    for column, wanted in (
        (Condition.decomposition, filters.get("decomposition")),
        (Condition.rescaling, filters.get("rescaling")),
    ):
        if wanted is not None:
            conditions.append(_is_or_null(column, wanted))
    return conditions


def _is_or_null(column: InstrumentedAttribute[str | None], wanted: str) -> ColumnElement[bool]:
    return or_(column == wanted, column.is_(None))


def _has_heuristic(label: str, wanted: str) -> bool:
    return any(wanted in (member, member.partition("(")[0]) for member in split_combination(label))

"""Which metric ranks models, by what their datasets are for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, select

from hfcbench.results.queries.naming import HEADLINES
from hfcbench.results.schema import Condition, Dataset, Evaluation, Training


def headlines_where(connection: Connection, clause: ColumnElement[bool]) -> dict[str, int]:
    """The metrics that rank models, with the number of their trainings; at least one.

    The count is 0 where it was not needed: a database for one task has one metric.

    Args:
        clause: which results it is about.
    """
    tasks = set(connection.scalars(select(Dataset.task).distinct()))
    counts = dict.fromkeys(tasks, 0)
    if len(tasks) > 1:
        rows = connection.execute(
            select(Dataset.task, func.count(Training.training_id.distinct()))
            .join_from(Dataset, Training, Training.dataset_id == Dataset.dataset_id)
            .join(Evaluation, Evaluation.training_id == Training.training_id)
            .join(Condition, Condition.condition_id == Evaluation.condition_id)
            .where(clause)
            .group_by(Dataset.task)
        )
        counts = {row[0]: row[1] for row in rows}
    found = {name: counts[task] for task, name in HEADLINES.items() if task in counts}
    return found or {next(iter(HEADLINES.values())): 0}

"""Detectors' scores of single pictures: only those that a question needs leave the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.errors import UsageError, nearest
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import KnownCondition, KnownMetric, known_conditions
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import (
    Condition,
    Dataset,
    Detection,
    Evaluation,
    Metric,
    Picture,
    PictureScore,
    Training,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """An evaluation of a detector on ``n`` pictures."""

    evaluation_id: int
    identity: str
    training_id: int
    condition: KnownCondition
    picture_set_id: int
    n: int

    @property
    def model(self) -> tuple[object, ...]:
        """What it shares with the original that it is held against."""
        return self.training_id, self.condition.state, self.picture_set_id


def seen_pictures(connection: Connection, where: Filter) -> list[Seen]:
    """Clean evaluations of detectors, of each model and condition the newest."""
    conditions = {item.condition_id: item for item in known_conditions(connection)}
    rows = connection.execute(
        select(
            *(Evaluation.evaluation_id, Evaluation.identity, Evaluation.training_id),
            *(Evaluation.condition_id, Detection.picture_set_id, Detection.n),
        )
        .join_from(Detection, Evaluation, Evaluation.evaluation_id == Detection.evaluation_id)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(where.clause())
        .order_by(Evaluation.evaluation_id)
    )
    found = [
        Seen(key, identity, training_id, conditions[condition_id], picture_set_id, n)
        for key, identity, training_id, condition_id, picture_set_id, n in rows
    ]
    clean = [item for item in found if not item.condition.is_attacked]
    return list({(*item.model, item.condition.condition_id): item for item in clean}.values())


def scores_of_pictures(
    connection: Connection, metric: KnownMetric, evaluation_ids: Collection[int]
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Positions and scores of the pictures that have one, by evaluation_id."""
    import numpy as np

    rows = connection.execute(
        select(PictureScore.evaluation_id, PictureScore.position, PictureScore.value)
        .where(PictureScore.metric_id == metric.metric_id)
        .where(facts.among(PictureScore.evaluation_id, evaluation_ids))
        .order_by(PictureScore.evaluation_id, PictureScore.position)
    ).all()
    if not rows:
        return {}
    # NULL, which is what is no number, becomes NaN.
    table = np.array([tuple(row) for row in rows], dtype=np.float64)
    keys, starts = np.unique(table[:, 0].astype(np.int64), return_index=True)
    return {
        int(key): (part[:, 1].astype(np.int64), part[:, 2])
        for key, part in zip(keys, np.split(table, starts[1:]), strict=True)
    }


def filled(scores: tuple[NDArray[np.int64], NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    import numpy as np

    positions, values = scores
    filled = np.full(n, np.nan)
    filled[positions] = values
    return filled


def not_kept(connection: Connection, metric: str) -> UsageError:
    mine = select(PictureScore.position).where(PictureScore.metric_id == Metric.metric_id)
    names = sorted(set(connection.scalars(select(Metric.name).where(mine.exists()))))
    return UsageError(
        f"metric '{metric}' is not kept for single pictures; "
        + (nearest(metric, names) if names else "no metric is")
    )


def pictures_of(connection: Connection, picture_set_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(Picture.name.label("picture"), Picture.object_count, Picture.height, Picture.width)
        .where(Picture.picture_set_id == picture_set_id)
        .order_by(Picture.position)
    )
    return [dict(row._mapping) for row in rows]

"""In which pictures a detector scores better or worse on a component than on the original."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.errors import UsageError, nearest
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import (
    KnownCondition,
    KnownMetric,
    known_conditions,
    known_metric,
)
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
    import pandas as pd
    from numpy.typing import NDArray

_SAME = 1e-9
"""A change that is no larger is none; rounding is far smaller."""

_OF_TRAINING = ("dataset", "fingerprint", "scale", "model", "heuristics", "trained_on", "seed")
_OF_CONDITION = (
    *("procedure", "split", "defence", "defence_version", "decomposition"),
    *("decomposition_version", "rescaling", "cutoff_inner", "cutoff", "part", "component"),
)
_COUNTED = ("n", "pictures", "gains", "drops", "equal", "original", "value", "difference")
_OF_PICTURE = ("picture", "object_count", "height", "width", "original", "value", "difference")
_KEYS = ("training", "evaluation")


@dataclass(frozen=True)
class PictureGains:
    """What single pictures gain on components.

    Attributes:
        metric: of all scores.
        frame: a row per training, defence and component, see
            :meth:`hfcbench.results.store.Store.picture_gains`.
        pictures: of each of these rows, the pictures with the largest gains and drops.
    """

    metric: str
    frame: pd.DataFrame
    pictures: pd.DataFrame


@dataclass(frozen=True)
class _Seen:
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


def picture_gains(
    connection: Connection,
    where: Filter,
    *,
    metric: str,
    parts: Sequence[str],
    cutoff: float | None,
    largest: int | None,
) -> PictureGains:
    """Hold every component's scores of pictures against the original's.

    Raises:
        UsageError: there is no such metric, or it is not kept for single pictures.
    """
    counted = known_metric(connection, metric)
    seen = _seen(connection, where)
    originals = {item.model: item for item in seen if item.condition.is_original}
    components = [
        item
        for item in seen
        if item.condition.part in parts
        and cutoff in (None, item.condition.cutoff)
        and item.model in originals
    ]
    read = {item.evaluation_id for item in (*originals.values(), *components)}
    scores = _scores(connection, counted, read) if counted is not None else {}
    if counted is not None and read and not scores:
        raise _not_kept(connection, metric)
    trainings = facts.trainings_where(connection, {item.training_id for item in components})
    pictures = {
        key: _pictures(connection, key) for key in {item.picture_set_id for item in components}
    }
    rows, chosen = [], []
    for item in components:
        both = [scores.get(one.evaluation_id) for one in (originals[item.model], item)]
        if both[0] is None or both[1] is None:
            continue
        before, after = (_filled(one, item.n) for one in both if one is not None)
        names = _names(item, trainings)
        rows.append(names | _changes(before, after))
        named = pictures[item.picture_set_id]
        chosen += [names | row for row in _largest(before, after, named, largest)]
    return PictureGains(metric, *_frames(rows, chosen))


def _seen(connection: Connection, where: Filter) -> list[_Seen]:
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
        _Seen(key, identity, training_id, conditions[condition_id], picture_set_id, n)
        for key, identity, training_id, condition_id, picture_set_id, n in rows
    ]
    clean = [item for item in found if not item.condition.is_attacked]
    return list({(*item.model, item.condition.condition_id): item for item in clean}.values())


def _scores(
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
    # NULL, which is what is no number, becomes NaN.
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)
    keys, starts = np.unique(table[:, 0].astype(np.int64), return_index=True)
    return {
        int(key): (part[:, 1].astype(np.int64), part[:, 2])
        for key, part in zip(keys, np.split(table, starts[1:]), strict=True)
    }


def _filled(scores: tuple[NDArray[np.int64], NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    import numpy as np

    positions, values = scores
    filled = np.full(n, np.nan)
    filled[positions] = values
    return filled


def _not_kept(connection: Connection, metric: str) -> UsageError:
    mine = select(PictureScore.position).where(PictureScore.metric_id == Metric.metric_id)
    names = sorted(set(connection.scalars(select(Metric.name).where(mine.exists()))))
    return UsageError(
        f"metric '{metric}' is not kept for single pictures; "
        + (nearest(metric, names) if names else "no metric is")
    )


def _pictures(connection: Connection, picture_set_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(Picture.name.label("picture"), Picture.object_count, Picture.height, Picture.width)
        .where(Picture.picture_set_id == picture_set_id)
        .order_by(Picture.position)
    )
    return [dict(row._mapping) for row in rows]


def _names(item: _Seen, trainings: pd.DataFrame) -> dict[str, Any]:
    training = trainings.loc[item.training_id]
    return {
        **{name: training[name] for name in _OF_TRAINING},
        **{name: getattr(item.condition, name) for name in _OF_CONDITION},
        "training": training["training"],
        "evaluation": item.identity,
    }


def _changes(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, Any]:
    """How many pictures score better, worse and as well, and means over those that score."""
    import numpy as np

    difference = after - before
    known = np.isfinite(difference)
    changes = difference[known]
    means = [float(one[known].mean()) if known.any() else np.nan for one in (before, after)]
    return {
        "n": len(difference),
        "pictures": int(known.sum()),
        "gains": int((changes > _SAME).sum()),
        "drops": int((changes < -_SAME).sum()),
        "equal": int((np.abs(changes) <= _SAME).sum()),
        "original": means[0],
        "value": means[1],
        "difference": float(changes.mean()) if known.any() else np.nan,
    }


def _largest(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    pictures: Sequence[dict[str, Any]],
    largest: int | None,
) -> list[dict[str, Any]]:
    """The pictures that gain most, then those that drop most; equal changes stay in order."""
    import numpy as np

    difference = after - before
    rows = []
    for change, size in (("gain", difference), ("drop", -difference)):
        order = np.argsort(-size, kind="stable")
        order = order[size[order] > _SAME][:largest]
        rows += [
            {
                "change": change,
                "rank": rank,
                **pictures[position],
                "original": float(before[position]),
                "value": float(after[position]),
                "difference": float(difference[position]),
            }
            for rank, position in enumerate(order.tolist(), 1)
        ]
    return rows


def _frames(
    rows: list[dict[str, Any]], chosen: list[dict[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    names = [*_OF_TRAINING, *_OF_CONDITION]
    columns = [*names, *_COUNTED, *_KEYS]
    order = [*_OF_TRAINING, "procedure", "split", "defence", "decomposition", "part", "cutoff"]
    frame = pd.DataFrame(rows, columns=columns)
    pictures = pd.DataFrame(chosen, columns=[*names, "change", "rank", *_OF_PICTURE, *_KEYS])
    # The gains of a component before its drops, each in order of rank.
    frame, pictures = (one.sort_values(order, kind="stable") for one in (frame, pictures))
    return frame.reset_index(drop=True), pictures.reset_index(drop=True)

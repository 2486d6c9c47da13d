"""In which pictures a detector scores better or worse on a component than on the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import known_metric
from hfcbench.results.queries.picture_scores import (
    Seen,
    filled,
    not_kept,
    pictures_of,
    scores_of_pictures,
    seen_pictures,
)
from hfcbench.results.queries.where import Filter

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from hfcbench.detection import PictureChanges

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
    from hfcbench.detection import picture_changes

    counted = known_metric(connection, metric)
    pairs = _pairs(seen_pictures(connection, where), parts, cutoff)
    read = {item.evaluation_id for pair in pairs for item in pair}
    scores = scores_of_pictures(connection, counted, read) if counted is not None else {}
    if read and not scores:
        raise not_kept(connection, metric)
    trainings = facts.trainings_where(connection, {item.training_id for _, item in pairs})
    pictures = {
        key: pictures_of(connection, key) for key in {item.picture_set_id for _, item in pairs}
    }
    rows, chosen = [], []
    for original, item in pairs:
        if not scores.keys() >= {original.evaluation_id, item.evaluation_id}:
            continue
        before, after = (filled(scores[one.evaluation_id], item.n) for one in (original, item))
        names = _names(item, trainings)
        changes = picture_changes(before, after)
        rows.append(names | _counted(before, after, changes))
        named = pictures[item.picture_set_id]
        chosen += [names | row for row in _largest(before, after, changes, named, largest)]
    return PictureGains(metric, *_frames(rows, chosen))


def _pairs(
    seen: Sequence[Seen], parts: Sequence[str], cutoff: float | None
) -> list[tuple[Seen, Seen]]:
    """Each component with the original of the same model and pictures."""
    originals = {item.model: item for item in seen if item.condition.is_original}
    return [
        (originals[item.model], item)
        for item in seen
        if item.model in originals
        and item.condition.part in parts
        and cutoff in (None, item.condition.cutoff)
    ]


def _names(item: Seen, trainings: pd.DataFrame) -> dict[str, Any]:
    training = trainings.loc[item.training_id]
    return {
        **{name: training[name] for name in _OF_TRAINING},
        **{name: getattr(item.condition, name) for name in _OF_CONDITION},
        "training": training["training"],
        "evaluation": item.identity,
    }


def _counted(
    before: NDArray[np.float64], after: NDArray[np.float64], changes: PictureChanges
) -> dict[str, Any]:
    """How many pictures score better, worse and as well, and means over those that score."""
    import numpy as np

    known = ~np.isnan(changes.difference)
    means = [
        float(values[known].mean()) if known.any() else np.nan
        for values in (before, after, changes.difference)
    ]
    return {
        "n": len(known),
        "pictures": int(known.sum()),
        "gains": len(changes.gained),
        "drops": len(changes.dropped),
        "equal": len(changes.equal),
        **dict(zip(("original", "value", "difference"), means, strict=True)),
    }


def _largest(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    changes: PictureChanges,
    pictures: Sequence[dict[str, Any]],
    largest: int | None,
) -> list[dict[str, Any]]:
    """The pictures that gain most, then those that drop most."""
    return [
        {
            "change": change,
            "rank": rank,
            **pictures[position],
            "original": float(before[position]),
            "value": float(after[position]),
            "difference": float(changes.difference[position]),
        }
        for change, positions in (("gain", changes.gained), ("drop", changes.dropped))
        for rank, position in enumerate(positions[:largest].tolist(), 1)
    ]


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

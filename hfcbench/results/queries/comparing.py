"""Comparing rows image by image, from their stored predictions or detections."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, or_, select

from hfcbench.errors import UsageError
from hfcbench.results.queries.comparing_detections import ComparedDetections
from hfcbench.results.queries.conditions import condition_name, known_conditions
from hfcbench.results.queries.identities import Found, find_identity
from hfcbench.results.queries.images import paired_frames
from hfcbench.results.schema import Detection, Evaluation, Prediction
from hfcbench.results.statistics import adjusted, compare_pair
from hfcbench.results.writing.rows import rows_among

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = (
    *("first", "second", "condition", "n", "accuracy_first", "accuracy_second"),
    *("difference", "low", "high", "only_first", "only_second"),
    *("test", "p_value", "p_adjusted"),
)


DETECTION_COLUMNS = (
    *("first", "second", "condition", "n", "map_first", "map_second"),
    *("difference", "low", "high"),
)


def comparison_frame(
    connection: Connection, beginnings: Sequence[str], correction: str
) -> pd.DataFrame:
    """One row per pair; see :meth:`hfcbench.results.queries.questions.Questions.compare`."""
    import pandas as pd

    found = [find_identity(connection, beginning) for beginning in beginnings]
    if len(found) < 2:
        raise UsageError("a comparison needs two ids or more")
    if any(item.kind == "analysis" for item in found):
        raise UsageError(
            "analyses cannot be compared image by image; give ids of trainings or of evaluations"
        )
    if len({item.kind for item in found}) > 1:
        raise UsageError("evaluations can be compared with each other, and trainings; not mixed")
    pairs = [
        (
            {"first": first.identity[:8], "second": second.identity[:8], "condition": name},
            one,
            other,
        )
        for first, second in itertools.combinations(found, 2)
        for name, one, other in _pairs(connection, first, second)
    ]
    if not pairs:
        raise UsageError("these trainings were never evaluated under the same condition")
    evaluations = {identity for _, *both in pairs for identity in both}
    detectors = _of_detectors(connection, evaluations)
    if detectors and detectors != evaluations:
        raise UsageError(
            "what detectors found cannot be compared with predictions of classes",
            hint="give ids of one of the two",
        )
    if detectors:
        compared = ComparedDetections(connection)
        rows = [names | compared(one, other) for names, one, other in pairs]
        return pd.DataFrame(rows, columns=list(DETECTION_COLUMNS))
    frame = pd.DataFrame([names | _compared(connection, one, other) for names, one, other in pairs])
    frame["p_adjusted"] = adjusted(frame["p_value"].tolist(), correction)
    return frame[list(COLUMNS)]


def _pairs(connection: Connection, first: Found, second: Found) -> list[tuple[str, str, str]]:
    """Name of a condition, and the two evaluations to compare under it."""
    known = {item.condition_id: item for item in known_conditions(connection)}
    if first.kind == "evaluation":
        rows = connection.execute(
            select(Evaluation.identity, Evaluation.condition_id).where(
                Evaluation.identity.in_([first.identity, second.identity])
            )
        )
        of = {row[0]: row[1] for row in rows}
        names = [condition_name(known[of[item.identity]]) for item in (first, second)]
        name = names[0] if names[0] == names[1] else " against ".join(names)
        return [(name, first.identity, second.identity)]
    evaluations = [_evaluations(connection, item.key) for item in (first, second)]
    return [
        (condition_name(known[key[0]]), identity, evaluations[1][key])
        for key, identity in evaluations[0].items()
        if key in evaluations[1]
    ]


def _evaluations(
    connection: Connection, training_id: int
) -> dict[tuple[int, int | None, int | None], str]:
    """The evaluations of a training by condition and set of images or pictures."""
    rows = connection.execute(
        select(
            *(Evaluation.condition_id, Prediction.label_set_id, Detection.picture_set_id),
            Evaluation.identity,
        )
        .outerjoin(Prediction, Prediction.evaluation_id == Evaluation.evaluation_id)
        .outerjoin(Detection, Detection.evaluation_id == Evaluation.evaluation_id)
        .where(Evaluation.training_id == training_id)
        .where(or_(Prediction.n.is_not(None), Detection.n.is_not(None)))
        .order_by(Evaluation.condition_id, Evaluation.evaluation_id)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _of_detectors(connection: Connection, identities: Collection[str]) -> set[str]:
    statement = select(Evaluation.identity).join(
        Detection, Detection.evaluation_id == Evaluation.evaluation_id
    )
    rows = rows_among(connection, statement, Evaluation.identity, list(identities))
    return {row[0] for row in rows}


def _compared(connection: Connection, first: str, second: str) -> dict[str, Any]:
    one, other = paired_frames(connection, first, second)
    return pair_numbers(one["correct"].to_numpy(), other["correct"].to_numpy())


def pair_numbers(one: NDArray[Any], other: NDArray[Any]) -> dict[str, Any]:
    """How two rows of right (1) and wrong (0) answers ``(N,)`` to the same images differ."""
    found = compare_pair(one, other)
    return {
        "n": found.n,
        "accuracy_first": float(one.mean()),
        "accuracy_second": float(other.mean()),
        "difference": found.difference,
        "low": found.interval.low,
        "high": found.interval.high,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "test": found.test,
        "p_value": found.p_value,
    }

"""Which robust scores are in doubt, and why: stored checks, and rows that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, select

from hfcbench.references import parse_label
from hfcbench.reliability_checks import BLACK_BOX, STRONGER_ROW, TRANSFER, VANISHING_GRADIENTS
from hfcbench.results.queries.conditions import KnownCondition, known_conditions
from hfcbench.results.queries.faced_attacks import SAME_EPSILON
from hfcbench.results.schema import Evaluation, Metric, ReliabilityCheck, Score

if TYPE_CHECKING:
    import pandas as pd

Place: TypeAlias = tuple[int, int]
"""A score: training_id and condition_id."""

_LARGEST_GAP = {BLACK_BOX: 0.01, TRANSFER: 0.01, STRONGER_ROW: 0.02}
_EFFORT = ("steps", "restarts")


def flags(connection: Connection, training_ids: Collection[int]) -> dict[Place, tuple[str, ...]]:
    """The flags of every score under attack of some trainings; those without any are left out."""
    found: dict[Place, list[str]] = {}
    gradient_free = _measured(connection, training_ids, found)
    known = {item.condition_id: item for item in known_conditions(connection) if item.is_attacked}
    whole = {key: item for key, item in known.items() if item.cut is None}
    by_model: dict[tuple[int, int, tuple[str, ...]], list[tuple[KnownCondition, float]]] = {}
    for training_id, condition_id, n, value in _accuracies(connection, training_ids, whole):
        condition = whole[condition_id]
        key = (training_id, n, tuple(map(str, condition.state)))
        by_model.setdefault(key, []).append((condition, value))
    for (training_id, _, _), scores in by_model.items():
        free = {key for training, key in gradient_free if training == training_id}
        for condition, value in scores:
            names = _contradictions(condition, value, scores, free)
            found.setdefault((training_id, condition.condition_id), []).extend(names)
    return {place: tuple(dict.fromkeys(names)) for place, names in found.items() if names}


def flags_of(
    rows: pd.DataFrame,
    conditions: Sequence[KnownCondition],
    names: Mapping[int, str],
    found: Mapping[Place, Sequence[str]],
) -> list[str]:
    """What the leaderboard says of each row: ``pgd@0.03: more-steps; ...``, empty without doubts.

    Args:
        rows: of :func:`hfcbench.results.queries.ranking.ranked`.
        conditions: that are shown; those of several defences share a column.
        names: of their columns, by condition_id.
    """
    texts = []
    for pairs in rows["pairs"]:
        by_column: dict[str, dict[str, None]] = {}
        for training_id, state in pairs:
            for condition in conditions:
                place = (training_id, condition.condition_id)
                if place in found and state == str(condition.state):
                    column = by_column.setdefault(names[condition.condition_id], {})
                    column.update(dict.fromkeys(found[place]))
        texts.append("; ".join(f"{name}: {', '.join(flags)}" for name, flags in by_column.items()))
    return texts


def _measured(
    connection: Connection, training_ids: Collection[int], found: dict[Place, list[str]]
) -> set[Place]:
    """Add the stored flags; returns the scores of attacks that looked at no gradient."""
    statement = (
        select(
            *(Evaluation.training_id, Evaluation.condition_id),
            *(ReliabilityCheck.name, ReliabilityCheck.flagged),
        )
        .join(ReliabilityCheck, ReliabilityCheck.evaluation_id == Evaluation.evaluation_id)
        .where(Evaluation.training_id.in_(training_ids))
        .order_by(ReliabilityCheck.name)
    )
    checked: set[Place] = set()
    with_gradients: set[Place] = set()
    for training_id, condition_id, name, flagged in connection.execute(statement):
        place = (training_id, condition_id)
        checked.add(place)
        if name == VANISHING_GRADIENTS:
            with_gradients.add(place)
        if flagged:
            found.setdefault(place, []).append(name)
    return checked - with_gradients


def _accuracies(
    connection: Connection, training_ids: Collection[int], conditions: Collection[int]
) -> list[tuple[int, int, int, float]]:
    statement = (
        select(Score.training_id, Score.condition_id, Score.n, Score.value)
        .join(Metric, Metric.metric_id == Score.metric_id)
        .where(Metric.name == "top1", Score.value.is_not(None))
        .where(Score.training_id.in_(training_ids), Score.condition_id.in_(conditions))
    )
    return [(row[0], row[1], row[2], row[3] or 0.0) for row in connection.execute(statement)]


def _contradictions(
    condition: KnownCondition,
    value: float,
    scores: Sequence[tuple[KnownCondition, float]],
    gradient_free: Collection[int],
) -> list[str]:
    """Why a score cannot be the worst case, by others of the same model within the same ball."""
    names = []
    for other, lower in scores:
        why = _kind(condition, other, gradient_free)
        if why is not None and value - lower > _LARGEST_GAP[why]:
            names.append(why)
    return names


def _kind(
    condition: KnownCondition, other: KnownCondition, gradient_free: Collection[int]
) -> str | None:
    """What another attack within the same ball shows if it breaks more; None if nothing."""
    if (other.epsilon or 0.0) > (condition.epsilon or 0.0) + SAME_EPSILON:
        return None
    mine, theirs = _parameters(condition), _parameters(other)
    if mine.get("norm", "linf") != theirs.get("norm", "linf"):
        return None
    if other.condition_id in gradient_free and condition.condition_id not in gradient_free:
        return BLACK_BOX
    if other.attack_mode == "transfer" and condition.attack_mode != "transfer":
        return TRANSFER
    more = any(theirs.get(name, 0) > mine.get(name, 0) for name in _EFFORT if name in theirs)
    same = condition.attack_mode == other.attack_mode and differ_in_effort(condition, other)
    return STRONGER_ROW if same and more else None


def differ_in_effort(condition: KnownCondition, other: KnownCondition) -> bool:
    """Whether two attacks are the same but for steps, restarts and mode, at most."""
    of = [(item.attack.partition("(")[0], _without_effort(item)) for item in (condition, other)]
    return of[0] == of[1]


def _without_effort(condition: KnownCondition) -> dict[str, Any]:
    parameters = _parameters(condition)
    return {name: value for name, value in parameters.items() if name not in _EFFORT}


def _parameters(condition: KnownCondition) -> Mapping[str, Any]:
    return parse_label(condition.attack)[1]

"""Scores under attack that cannot be the worst case, by others of the same model."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Text, select, type_coerce

from hfcbench.reliability_checks import BLACK_BOX, STRONGER_ROW, TRANSFER, VANISHING_GRADIENTS
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import KnownCondition, KnownMetric
from hfcbench.results.queries.worst_scores import Place
from hfcbench.results.schema import Condition, Evaluation, ReliabilityCheck, Score
from hfcbench.results.writing.conditions import mapping_in, text_in

_LARGEST_GAP = {BLACK_BOX: 0.01, TRANSFER: 0.01, STRONGER_ROW: 0.02}
# A single image more is no sign, however few there are.
_FEWEST_IMAGES = 1.5
_EFFORT = ("steps", "restarts")
_SAME_EPSILON = 1e-9


@dataclass(frozen=True)
class KnownAttack:
    """What is known of an attack by one of its evaluations.

    Attributes:
        parameters: all of them, defaults included.
        follows_gradients: None where nothing was checked.
    """

    name: str | None
    parameters: Mapping[str, Any]
    follows_gradients: bool | None


def known_attacks(
    connection: Connection, metric: KnownMetric, condition_ids: Collection[int]
) -> dict[int, KnownAttack]:
    """The attack of each of these conditions that there is a score under, by condition_id."""
    # Any of its scores will do, a late one knows most; the index that ranks them has it.
    newest = (
        select(Score.evaluation_id)
        .where(Score.metric_id == metric.metric_id, Score.condition_id == Condition.condition_id)
        .order_by(Score.training_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    checks = select(ReliabilityCheck.name).where(
        ReliabilityCheck.evaluation_id == Evaluation.evaluation_id
    )
    statement = (
        select(
            *(Condition.condition_id, type_coerce(Evaluation.specification, Text)),
            *(checks.exists(), checks.where(ReliabilityCheck.name == VANISHING_GRADIENTS).exists()),
        )
        .join(Evaluation, Evaluation.evaluation_id == newest)
        .where(facts.among(Condition.condition_id, condition_ids))
    )
    found = {}
    for condition_id, text, checked, follows in connection.execute(statement):
        specification = _document(text)
        found[condition_id] = KnownAttack(
            text_in(specification, "attack", "name"),
            mapping_in(mapping_in(specification, "attack"), "parameters"),
            bool(follows) if checked else None,
        )
    return found


def _document(text: str) -> Mapping[str, Any]:
    """A specification; empty where it is damaged, which `hfcbench db check` tells."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _pairs(
    asked: Mapping[int, KnownCondition],
    rivals: Mapping[int, KnownCondition],
    attacks: Mapping[int, KnownAttack],
) -> Iterator[tuple[int, int, str]]:
    """Conditions, others within the same ball, and what it says if those break more."""
    for number, condition in asked.items():
        for other, rival in rivals.items():
            if number in attacks and other in attacks and _is_within(rival, condition):
                why = _why(condition, rival, attacks[number], attacks[other])
                if why is not None:
                    yield number, other, why


def _is_within(rival: KnownCondition, condition: KnownCondition) -> bool:
    """Whether all that a rival may find on the same model lies in the condition's ball as well."""
    return (
        condition.cut is None
        and rival.state == condition.state
        and rival.attack_norm == condition.attack_norm
        and (rival.epsilon or 0.0) <= (condition.epsilon or 0.0) + _SAME_EPSILON
    )


def _why(
    condition: KnownCondition, rival: KnownCondition, mine: KnownAttack, theirs: KnownAttack
) -> str | None:
    if mine.follows_gradients and theirs.follows_gradients is False:
        return BLACK_BOX
    same = (condition.attack, condition.attack_version) == (rival.attack, rival.attack_version)
    if rival.attack_mode == "transfer" and condition.attack_mode != "transfer":
        return TRANSFER if same else None
    if (mine.name, condition.attack_mode) != (theirs.name, rival.attack_mode):
        return None
    rest = [
        {key: value for key, value in one.parameters.items() if key not in _EFFORT}
        for one in (mine, theirs)
    ]
    effort = [
        (_number(mine.parameters.get(name)), _number(theirs.parameters.get(name)))
        for name in _EFFORT
    ]
    more = any(other > own for own, other in effort)
    return STRONGER_ROW if rest[0] == rest[1] and more else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def contradictions(
    connection: Connection,
    metric: KnownMetric,
    training_ids: Collection[int],
    asked: Mapping[int, KnownCondition],
    rivals: Mapping[int, KnownCondition],
    attacks: Mapping[int, KnownAttack],
) -> Iterator[tuple[Place, str]]:
    """Scores that cannot be the worst case, and what the one that breaks more images says.

    Args:
        asked: conditions whose scores are held against others on as many images.
        rivals: conditions that may contradict them, of whole images.
        attacks: of all of these, as far as they are known.
    """
    pairs = list(_pairs(asked, rivals, attacks))
    if not pairs:
        return
    ids = {number for pair in pairs for number in pair[:2]}
    scores = facts.finite_scores(connection, metric, training_ids, ids)
    by_condition = {
        number: rows.drop_duplicates(["training_id", "n"], keep="last").set_index(
            ["training_id", "n"]
        )["value"]
        for number, rows in scores.groupby("condition_id")
    }
    for number, rival, why in pairs:
        if number in by_condition and rival in by_condition:
            gaps: Any = by_condition[number] - by_condition[rival]
            for (training_id, n), gap in gaps[gaps > _LARGEST_GAP[why]].items():
                if gap * n > _FEWEST_IMAGES:
                    yield (training_id, number, n), why

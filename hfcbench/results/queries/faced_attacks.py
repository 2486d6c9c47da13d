"""What each model answered to clean images and under attacks within a ball."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from hfcbench.results.queries.answers import read_answers
from hfcbench.results.queries.conditions import KnownCondition, known_conditions
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import Condition, Dataset, Evaluation, Training
from hfcbench.results.statistics import Answers, worst_case

SAME_EPSILON = 1e-9
"""By how much epsilons may differ that mean the same ball."""


@dataclass(frozen=True)
class Faced:
    """One model's answers: to clean images, under each attack, and those right in all of them.

    Attributes:
        attacked: by attack and epsilon.
    """

    clean: Answers
    attacked: tuple[tuple[KnownCondition, Answers], ...]
    robust: Answers


def in_ball(condition: KnownCondition, epsilon: float) -> bool:
    """Whether the images of a condition are no further than epsilon from clean ones.

    This holds in the L-infinity norm for attacks of any norm: no pixel changes by more than the
    whole image.
    """
    return not condition.is_attacked or (condition.epsilon or 0.0) <= epsilon + SAME_EPSILON


def reaches(condition: KnownCondition, epsilon: float) -> bool:
    """Whether an attack had the whole L-infinity ball to itself, up to its edge."""
    if condition.attack_norm != "linf":
        return False
    return abs((condition.epsilon or 0.0) - epsilon) <= SAME_EPSILON


def evaluations_by_model(
    connection: Connection, where: Filter, condition_ids: Collection[int]
) -> dict[tuple[int, str], dict[int, str]]:
    """Evaluations by condition, of each training in each state (its split and defence)."""
    known = {item.condition_id: str(item.state) for item in known_conditions(connection)}
    statement = (
        select(Evaluation.training_id, Evaluation.condition_id, Evaluation.identity)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(where.clause(), Evaluation.condition_id.in_(list(condition_ids)))
        # Of equal conditions the one on most images counts, and of those the newest.
        .order_by(Evaluation.training_id, Evaluation.n, Evaluation.evaluation_id)
    )
    found: dict[tuple[int, str], dict[int, str]] = {}
    for training_id, condition_id, identity in connection.execute(statement):
        found.setdefault((training_id, known[condition_id]), {})[condition_id] = identity
    return found


def read_faced(
    connection: Connection, conditions: Sequence[tuple[KnownCondition, str]]
) -> Faced | None:
    """The answers of a model to originals, given its evaluations by condition.

    Returns:
        None of models that were not seen both clean and attacked, or whose answers are not stored.

    Raises:
        UsageError: clean and attacked images cannot be paired.
    """
    clean = [identity for item, identity in conditions if not item.is_attacked]
    attacked = sorted(
        ((item, identity) for item, identity in conditions if item.is_attacked),
        key=lambda pair: (pair[0].attack, pair[0].epsilon or 0.0, pair[1]),
    )
    if not clean or not attacked:
        return None
    identities = [*clean, *(identity for _, identity in attacked)]
    found = read_answers(connection, identities)
    if len(found) < len(identities):
        return None
    return Faced(
        found[clean[0]],
        tuple((item, found[identity]) for item, identity in attacked),
        worst_case(list(found.values())),
    )

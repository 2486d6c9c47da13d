"""Which doubts about single attacks are left when the worst of all of them counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hfcbench.references import parse_label
from hfcbench.reliability_checks import MORE_STEPS, STRONGER_ROW
from hfcbench.results.queries.conditions import KnownCondition
from hfcbench.results.queries.faced_attacks import SAME_EPSILON, Faced
from hfcbench.results.queries.worst_scores import Place
from hfcbench.results.statistics import Answers

_EFFORT = ("steps", "restarts")


def doubts(
    training_id: int, faced: Faced, found: Mapping[Place, Sequence[str]]
) -> dict[int, tuple[str, ...]]:
    """The flags of a worst case, by the condition of the attack that they are of.

    A stronger row within the ball is part of the worst case, so that nothing is left of its flag;
    nor is there of ``more-steps`` if the same attack, with any steps and restarts, adaptive or in
    that mode, at this epsilon or a larger one, breaks at least as many of the same images without
    that flag.

    Args:
        found: of :func:`hfcbench.results.queries.reliability.flags`.
    """
    flags = {
        item.condition_id: found.get((training_id, item.condition_id, answers.images.n), ())
        for item, answers in faced.attacked
    }
    left = {}
    for item, answers in faced.attacked:
        answered = {STRONGER_ROW}
        if any(
            MORE_STEPS not in flags[other.condition_id] and _goes_further(other, item)
            for other in _breaking_as_many(answers, faced)
        ):
            answered.add(MORE_STEPS)
        names = tuple(name for name in flags[item.condition_id] if name not in answered)
        if names:
            left[item.condition_id] = names
    return left


def _breaking_as_many(answers: Answers, faced: Faced) -> list[KnownCondition]:
    return [
        other
        for other, answered in faced.attacked
        if answered.images == answers.images and answered.accuracy <= answers.accuracy
    ]


def _goes_further(other: KnownCondition, item: KnownCondition) -> bool:
    if (other.epsilon or 0.0) < (item.epsilon or 0.0) - SAME_EPSILON:
        return False
    return other.attack_mode in ("adaptive", item.attack_mode) and _kind(other) == _kind(item)


def _kind(condition: KnownCondition) -> tuple[str, Mapping[str, object]]:
    """An attack but for its steps and restarts."""
    name, parameters = parse_label(condition.attack)
    return name, {key: value for key, value in parameters.items() if key not in _EFFORT}

"""Robust accuracy: the worst case over attacks, image by image, from stored predictions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.errors import UsageError
from hfcbench.results.queries import facts
from hfcbench.results.queries.answers import read_answers
from hfcbench.results.queries.conditions import KnownCondition, known_conditions, strength
from hfcbench.results.queries.reliability import flags, in_order
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import Condition, Dataset, Evaluation, Training
from hfcbench.results.statistics import Answers, wilson, worst_case

if TYPE_CHECKING:
    import pandas as pd

SAME_EPSILON = 1e-9
"""By how much epsilons may differ that mean the same ball."""

_OF_TRAINING = ("dataset", "fingerprint", "scale", "model", "heuristics", "trained_on", "seed")
_OF_STATE = ("procedure", "split", "defence", "defence_version")
_COLUMNS = (
    *_OF_TRAINING,
    *_OF_STATE,
    *("attacked_by", "n", "clean", "value", "low", "high", "flags", "training"),
)


def worst_case_answers(connection: Connection, identities: Sequence[str]) -> Answers:
    """See :meth:`hfcbench.results.queries.questions.Questions.worst_case`."""
    found = read_answers(connection, identities)
    for identity in identities:
        if identity not in found:
            raise UsageError(f"no predictions of an evaluation {identity[:12]} are stored")
    if not identities:
        raise UsageError("a worst case needs an evaluation or more")
    return worst_case([found[identity] for identity in identities])


def attacks_name(attacks: Collection[tuple[str, float]]) -> str:
    """``fgsm, pgd at 0.03`` of attacks (label, epsilon); ``up to 0.06`` with smaller ones."""
    labels = ", ".join(dict.fromkeys(label for label, _ in attacks))
    epsilons = {epsilon for _, epsilon in attacks}
    return f"{labels} {'up to' if len(epsilons) > 1 else 'at'} {strength(max(epsilons))}"


def robust_accuracy_frame(connection: Connection, where: Filter, epsilon: float) -> pd.DataFrame:
    """See :meth:`hfcbench.results.queries.questions.Questions.robust_accuracy`."""
    import pandas as pd

    allowed = facts.condition_ids_where(connection, where.clause())
    everything = known_conditions(connection)
    wanted = {
        item.condition_id: item
        for item in everything
        if item.condition_id in allowed
        and item.cut is None
        and (not item.is_attacked or (item.epsilon or 0.0) <= epsilon + SAME_EPSILON)
    }
    norms = {str(item.attack_norm) for item in wanted.values() if item.is_attacked}
    if len(norms) > 1:
        raise UsageError(
            f"epsilons up to {strength(epsilon)} are of several norms: {', '.join(sorted(norms))}",
            hint="ask for one of them, as in attack_norm='linf'",
        )
    trainings = facts.trainings_where(connection)
    by_model = _by_model(connection, where, wanted)
    doubts = flags(connection, everything, {training_id for training_id, _ in by_model}, wanted)
    rows = []
    for (training_id, _), conditions in by_model.items():
        row = _row(connection, [(wanted[key], name) for key, (_, name) in conditions.items()])
        if row is not None:
            of = trainings.loc[training_id]
            places = ((training_id, key, n) for key, (n, _) in conditions.items())
            raised = (name for place in places for name in doubts.get(place, ()))
            row["flags"] = ", ".join(in_order(raised))
            rows.append({name: of[name] for name in (*_OF_TRAINING, "training")} | row)
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.sort_values([*_OF_TRAINING, *_OF_STATE]).reset_index(drop=True)


def _by_model(
    connection: Connection, where: Filter, wanted: dict[int, KnownCondition]
) -> dict[tuple[int, str], dict[int, tuple[int, str]]]:
    """Evaluations (n, identity) by condition, of each training in its state."""
    statement = (
        select(Evaluation.training_id, Evaluation.condition_id, Evaluation.n, Evaluation.identity)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
        .where(where.clause(), Evaluation.condition_id.in_(list(wanted)))
        # Of equal conditions the one on most images counts, and of those the newest.
        .order_by(Evaluation.training_id, Evaluation.n, Evaluation.evaluation_id)
    )
    found: dict[tuple[int, str], dict[int, tuple[int, str]]] = {}
    for training_id, condition_id, n, identity in connection.execute(statement):
        state = str(wanted[condition_id].state)
        found.setdefault((training_id, state), {})[condition_id] = (n, identity)
    return found


def _row(
    connection: Connection, conditions: Sequence[tuple[KnownCondition, str]]
) -> dict[str, Any] | None:
    """Clean and robust accuracy; None of models that were not seen both clean and attacked."""
    clean = [identity for item, identity in conditions if not item.is_attacked]
    attacked = sorted(
        ((item.attack, item.epsilon or 0.0), identity)
        for item, identity in conditions
        if item.is_attacked
    )
    if not clean or not attacked:
        return None
    identities = [*clean, *(identity for _, identity in attacked)]
    found = read_answers(connection, identities)
    if len(found) < len(identities):
        return None
    robust = worst_case(list(found.values()))
    interval = wilson(int(robust.right.sum()), robust.images.n)
    state = conditions[0][0]
    return {
        **{name: getattr(state, name) for name in _OF_STATE},
        "attacked_by": attacks_name([attack for attack, _ in attacked]),
        "n": robust.images.n,
        "clean": found[clean[0]].accuracy,
        "value": robust.accuracy,
        "low": interval.low,
        "high": interval.high,
    }

"""Robust accuracy: the worst case over attacks, image by image, from stored predictions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from hfcbench.errors import UsageError
from hfcbench.results.queries import facts
from hfcbench.results.queries.answers import read_answers
from hfcbench.results.queries.conditions import known_conditions, strength
from hfcbench.results.queries.faced_attacks import (
    Faced,
    evaluations_by_model,
    in_ball,
    read_faced,
)
from hfcbench.results.queries.reliability import flags, in_order
from hfcbench.results.queries.where import Filter
from hfcbench.results.statistics import Answers, wilson, worst_case

if TYPE_CHECKING:
    import pandas as pd

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
        if item.condition_id in allowed and item.cut is None and in_ball(item, epsilon)
    }
    norms = {str(item.attack_norm) for item in wanted.values() if item.is_attacked}
    if len(norms) > 1:
        raise UsageError(
            f"epsilons up to {strength(epsilon)} are of several norms: {', '.join(sorted(norms))}",
            hint="ask for one of them, as in attack_norm='linf'",
        )
    trainings = facts.trainings_where(connection)
    by_model = evaluations_by_model(connection, where, wanted)
    doubts = flags(connection, everything, {training_id for training_id, _ in by_model}, wanted)
    rows = []
    for (training_id, _), conditions in by_model.items():
        faced = read_faced(connection, [(wanted[key], name) for key, name in conditions.items()])
        if faced is not None:
            of = trainings.loc[training_id]
            raised = {
                name
                for item, answers in faced.attacked
                for name in doubts.get((training_id, item.condition_id, answers.images.n), ())
            }
            row = _row(faced) | {"flags": ", ".join(in_order(raised))}
            rows.append({name: of[name] for name in (*_OF_TRAINING, "training")} | row)
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.sort_values([*_OF_TRAINING, *_OF_STATE]).reset_index(drop=True)


def _row(faced: Faced) -> dict[str, Any]:
    robust = faced.robust
    interval = wilson(int(robust.right.sum()), robust.images.n)
    state = faced.attacked[0][0]
    attacks = [(item.attack, item.epsilon or 0.0) for item, _ in faced.attacked]
    return {
        **{name: getattr(state, name) for name in _OF_STATE},
        "attacked_by": attacks_name(attacks),
        "n": robust.images.n,
        "clean": faced.clean.accuracy,
        "value": robust.accuracy,
        "low": interval.low,
        "high": interval.high,
    }

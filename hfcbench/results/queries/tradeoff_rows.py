"""What each model scores when clean, on LFCs and in the worst case, from its stored answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from hfcbench.errors import UsageError
from hfcbench.results.queries import facts
from hfcbench.results.queries.answers import read_answers
from hfcbench.results.queries.attack_sets import attack_names
from hfcbench.results.queries.conditions import (
    KnownCondition,
    column_order,
    known_conditions,
    strength,
)
from hfcbench.results.queries.doubts import doubts
from hfcbench.results.queries.faced_attacks import (
    Faced,
    evaluations_by_model,
    reaches,
    read_faced,
)
from hfcbench.results.queries.reliability import flags
from hfcbench.results.queries.where import Filter
from hfcbench.results.statistics import Answers, on_images, wilson

if TYPE_CHECKING:
    import pandas as pd

_OF_TRAINING = (
    *("dataset", "fingerprint", "scale", "configuration"),
    *("model", "heuristics", "trained_on", "seed", "training"),
)
_OF_STATE = ("procedure", "split", "defence", "defence_version")
_MEASURED = (
    *("n", "n_attacked", "images", "attacks", "attacked_by", "flags", "gap"),
    *("clean", "clean_low", "clean_high", "lfc", "lfc_low", "lfc_high"),
    *("robust", "robust_low", "robust_high"),
)


def model_rows(
    connection: Connection,
    where: Filter,
    wanted: Mapping[int, KnownCondition],
    epsilon: float | None,
) -> tuple[pd.DataFrame, Counter[str]]:
    """By seed, one row per training and state that was seen clean and attacked at the ball's edge.

    ``attacks`` are the names of those that it faced, ``images`` says of which images its numbers
    are.

    Args:
        wanted: clean originals, LFCs of one cutoff, and attacks within the ball, by id.
        epsilon: the ball's.

    Returns:
        The rows, and how many models are not among them, by the reason.
    """
    import pandas as pd

    by_model = evaluations_by_model(connection, where, wanted)
    training_ids = {training_id for training_id, _ in by_model}
    found = flags(connection, known_conditions(connection), training_ids, wanted)
    trainings = facts.trainings_where(connection)
    names = attack_names([item for item in wanted.values() if item.is_attacked])
    rows, left_out = [], Counter[str]()
    for (training_id, _), evaluations in by_model.items():
        conditions = [(wanted[key], identity) for key, identity in evaluations.items()]
        faced = _faced(connection, conditions, epsilon)
        if isinstance(faced, str):
            left_out[faced] += 1
            continue
        of = trainings.loc[training_id]
        left = doubts(training_id, faced, found)
        rows.append(
            {name: of[name] for name in _OF_TRAINING}
            | _measured(faced, _low(connection, conditions), names)
            | {"flags": "; ".join(f"{names[key]}: {', '.join(why)}" for key, why in left.items())}
        )
    frame = pd.DataFrame(rows, columns=[*_OF_TRAINING, *_OF_STATE, *_MEASURED])
    return frame.sort_values("seed"), left_out


def _faced(
    connection: Connection, conditions: Sequence[tuple[KnownCondition, str]], epsilon: float | None
) -> Faced | str:
    """A model's answers, or why there is no robust accuracy."""
    if not any(item.is_original for item, _ in conditions):
        return "models that were not evaluated on clean images"
    if epsilon is None:
        return "models that were not attacked"
    if not any(reaches(item, epsilon) for item, _ in conditions):
        return f"models that faced no attack at the edge of the ball, epsilon {strength(epsilon)}"
    originals = [(item, identity) for item, identity in conditions if item.cut is None]
    try:
        faced = read_faced(connection, originals)
    except UsageError as error:
        return f"models left without a worst case: {error.what}"
    return faced or "models whose single answers are not stored"


def _low(
    connection: Connection, conditions: Sequence[tuple[KnownCondition, str]]
) -> Answers | None:
    identities = [identity for item, identity in conditions if item.cut is not None]
    return next(iter(read_answers(connection, identities).values()), None)


def _measured(faced: Faced, low: Answers | None, names: Mapping[int, str]) -> dict[str, Any]:
    clean, robust = faced.clean, faced.robust
    if low is not None and low.images != clean.images:
        low = None
    state = faced.attacked[0][0]
    attacked = [(column_order(item), names[item.condition_id]) for item, _ in faced.attacked]
    attacks = [name for _, name in sorted(attacked)]
    return {
        **{name: getattr(state, name) for name in _OF_STATE},
        "n": clean.images.n,
        "n_attacked": robust.images.n,
        "images": f"{clean.images.labels_sha256} {robust.images.labels_sha256}",
        "attacks": frozenset(attacks),
        "attacked_by": ", ".join(attacks),
        # Over the same images: each that is lost was right when clean.
        "gap": on_images(clean, robust).accuracy - robust.accuracy,
        **_share("clean", clean),
        **_share("lfc", low),
        **_share("robust", robust),
    }


def _share(name: str, answers: Answers | None) -> dict[str, float]:
    if answers is None:
        return {name: math.nan, f"{name}_low": math.nan, f"{name}_high": math.nan}
    interval = wilson(int(answers.right.sum()), answers.images.n)
    return {name: answers.accuracy, f"{name}_low": interval.low, f"{name}_high": interval.high}

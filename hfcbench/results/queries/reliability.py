"""Which robust scores are in doubt, and why: stored checks, and rows that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from hfcbench.reliability_checks import ADVICE, FULL_RANGE
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import KnownCondition, newest_metric
from hfcbench.results.queries.contradictions import KnownAttack, contradictions, known_attacks
from hfcbench.results.queries.worst_scores import Place, on_most_images
from hfcbench.results.schema import Evaluation, ReliabilityCheck

if TYPE_CHECKING:
    import pandas as pd


def flags(
    connection: Connection,
    known: Iterable[KnownCondition],
    training_ids: Collection[int],
    condition_ids: Collection[int],
) -> dict[Place, tuple[str, ...]]:
    """The flags of scores under attack; those without any are left out.

    Args:
        known: all conditions, since scores are held against those of others.
        training_ids, condition_ids: whose scores are asked for.
    """
    attacked = {item.condition_id: item for item in known if item.is_attacked}
    asked = {number: attacked[number] for number in condition_ids if number in attacked}
    states = {item.state for item in asked.values() if item.cut is None}
    rivals = {
        number: item
        for number, item in attacked.items()
        if item.cut is None and item.state in states
    }
    single = any(item.criterion == "exact" for item in asked.values())
    stored = _stored(connection, training_ids, {**asked, **rivals} if single else asked)
    found = {place: set(names) for place, names in stored.items() if place[1] in asked}
    metric = newest_metric(connection, "top1") if rivals else None
    if metric is not None:
        attacks = known_attacks(connection, metric, rivals)
        for place, name in contradictions(connection, metric, training_ids, asked, rivals, attacks):
            found.setdefault(place, set()).add(name)
        masked = {
            (place[0], rivals[place[1]].state, rivals[place[1]].attack_mode)
            for place, names in stored.items()
            if FULL_RANGE in names and place[1] in rivals
        }
        for place in _single_steps(connection, masked, asked, attacks):
            found.setdefault(place, set()).add(FULL_RANGE)
    return {place: in_order(names) for place, names in found.items()}


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Different flags as they are explained, and last what only a later hfcbench knows."""
    known = list(ADVICE)
    return tuple(
        sorted(set(names), key=lambda name: (known.index(name) if name in known else 99, name))
    )


def flags_among(texts: Iterable[str]) -> tuple[str, ...]:
    """The different flags in texts of :func:`flags_of`."""
    return in_order(
        name
        for text in texts
        for part in text.split("; ")
        for name in part.rpartition(": ")[2].split(", ")
        if name
    )


def flags_of(
    rows: pd.DataFrame,
    attacked: pd.DataFrame,
    names: Mapping[int, str],
    found: Mapping[Place, Sequence[str]],
) -> list[str]:
    """What the leaderboard says of each row: ``pgd@0.03: more-steps; ...``, empty without doubts.

    Args:
        rows: of :func:`hfcbench.results.queries.ranking.ranked`.
        attacked: training_id, state, condition_id and n of the shown scores under attack.
        names: of their columns in order, by condition_id; those of several defences share one.
    """
    columns = list(dict.fromkeys(names.values()))
    of_model: dict[tuple[int, str], list[tuple[str, Sequence[str]]]] = {}
    places = on_most_images(attacked)[["training_id", "state", "condition_id", "n"]]
    for training_id, state, condition_id, n in places.itertuples(index=False, name=None):
        flagged = found.get((training_id, condition_id, n))
        if flagged:
            of_model.setdefault((training_id, state), []).append((names[condition_id], flagged))
    texts = []
    for pairs in rows["pairs"]:
        by_column: dict[str, set[str]] = {}
        for pair in pairs:
            for column, flagged in of_model.get(pair, ()):
                by_column.setdefault(column, set()).update(flagged)
        ordered = [(name, in_order(by_column[name])) for name in columns if name in by_column]
        texts.append("; ".join(f"{name}: {', '.join(flags)}" for name, flags in ordered))
    return texts


def _stored(
    connection: Connection, training_ids: Collection[int], condition_ids: Collection[int]
) -> dict[Place, set[str]]:
    """The flags that were measured with the scores themselves."""
    statement = (
        select(
            *(Evaluation.training_id, Evaluation.condition_id, Evaluation.n),
            ReliabilityCheck.name,
        )
        .join(ReliabilityCheck, ReliabilityCheck.evaluation_id == Evaluation.evaluation_id)
        .where(facts.among(Evaluation.training_id, training_ids))
        .where(facts.among(Evaluation.condition_id, condition_ids))
        .where(ReliabilityCheck.flagged)
    )
    found: dict[Place, set[str]] = {}
    for training_id, condition_id, n, name in connection.execute(statement):
        found.setdefault((training_id, condition_id, n), set()).add(name)
    return found


def _single_steps(
    connection: Connection,
    masked: Collection[tuple[int, object, str | None]],
    asked: Mapping[int, KnownCondition],
    attacks: Mapping[int, KnownAttack],
) -> Iterator[Place]:
    """Scores of single steps, which have no check of the whole range, on masked gradients.

    Args:
        masked: training_id, state and mode in which an attack of many steps failed that check.
    """
    single = {
        number: item
        for number, item in asked.items()
        if item.criterion == "exact" and number in attacks and attacks[number].follows_gradients
    }
    if not single or not masked:
        return
    statement = select(Evaluation.training_id, Evaluation.condition_id, Evaluation.n).where(
        facts.among(Evaluation.training_id, {key[0] for key in masked}),
        facts.among(Evaluation.condition_id, single),
    )
    for training_id, condition_id, n in connection.execute(statement):
        condition = single[condition_id]
        if (training_id, condition.state, condition.attack_mode) in masked:
            yield training_id, condition_id, n

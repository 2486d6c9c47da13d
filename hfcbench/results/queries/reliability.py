"""Which robust scores are in doubt, and why: stored checks, and rows that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hfcbench.reliability_checks import (
    ADVICE,
    BLACK_BOX,
    FULL_RANGE,
    STRONGER_ROW,
    TRANSFER,
    VANISHING_GRADIENTS,
)
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import KnownCondition, KnownMetric, newest_metric
from hfcbench.results.queries.worst_scores import Place, on_most_images
from hfcbench.results.schema import Condition, Evaluation, ReliabilityCheck, Score
from hfcbench.results.writing.conditions import mapping_in, text_in

if TYPE_CHECKING:
    import pandas as pd

_LARGEST_GAP = {BLACK_BOX: 0.01, TRANSFER: 0.01, STRONGER_ROW: 0.02}
_EFFORT = ("steps", "restarts")
_SAME_EPSILON = 1e-9


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
    asked = {item.condition_id: item for item in known if item.is_attacked}
    rivals = [item for item in asked.values() if item.cut is None]
    asked = {number: asked[number] for number in condition_ids if number in asked}
    found = _stored(connection, training_ids, asked)
    states = {item.state for item in asked.values() if item.cut is None}
    rivals = [item for item in rivals if item.state in states]
    metric = newest_metric(connection, "top1") if rivals else None
    if metric is not None:
        attacks = _attacks(connection, metric, rivals)
        pairs = list(_pairs(asked, rivals, attacks))
        for place, name in _contradictions(connection, metric, training_ids, pairs):
            found.setdefault(place, {})[name] = None
        for place in _inherited(connection, training_ids, asked, rivals, attacks):
            found.setdefault(place, {})[FULL_RANGE] = None
    return {place: tuple(sorted(names, key=_order)) for place, names in found.items()}


def flags_among(texts: Iterable[str]) -> tuple[str, ...]:
    """The different flags in texts of :func:`flags_of`."""
    found = {
        name
        for text in texts
        for part in text.split("; ")
        for name in part.rpartition(": ")[2].split(", ")
        if name
    }
    return tuple(sorted(found, key=_order))


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
        names: of their columns, by condition_id; those of several defences share a column.
    """
    of_model: dict[tuple[int, str], list[tuple[str, Sequence[str]]]] = {}
    columns = ("training_id", "state", "condition_id", "n")
    shown = on_most_images(attacked)[list(columns)].itertuples(index=False, name=None)
    for training_id, state, condition_id, n in shown:
        flagged = found.get((training_id, condition_id, n))
        if flagged:
            of_model.setdefault((training_id, state), []).append((names[condition_id], flagged))
    texts = []
    for pairs in rows["pairs"]:
        by_column: dict[str, dict[str, None]] = {}
        for pair in pairs:
            for column, flagged in of_model.get(pair, ()):
                by_column.setdefault(column, {}).update(dict.fromkeys(flagged))
        texts.append("; ".join(f"{name}: {', '.join(flags)}" for name, flags in by_column.items()))
    return texts


def _order(name: str) -> tuple[int, str]:
    """As they are explained, and last what only a later hfcbench knows."""
    known = list(ADVICE)
    return (known.index(name) if name in known else len(known), name)


def _stored(
    connection: Connection, training_ids: Collection[int], condition_ids: Collection[int]
) -> dict[Place, dict[str, None]]:
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
    found: dict[Place, dict[str, None]] = {}
    for training_id, condition_id, n, name in connection.execute(statement):
        found.setdefault((training_id, condition_id, n), {})[name] = None
    return found


@dataclass(frozen=True)
class _Attack:
    """What is known of an attack by one of its evaluations.

    Attributes:
        parameters: all of them, defaults included.
        follows_gradients: None where nothing was checked.
    """

    name: str | None
    parameters: Mapping[str, Any]
    follows_gradients: bool | None


def _attacks(
    connection: Connection, metric: KnownMetric, conditions: Sequence[KnownCondition]
) -> dict[int, _Attack]:
    """The attack of each condition that there is a score under, by condition_id."""
    ids = [item.condition_id for item in conditions]
    # Any of its scores will do, a late one knows most; the index that ranks them has it.
    newest = (
        select(Score.evaluation_id)
        .where(Score.metric_id == metric.metric_id, Score.condition_id == Condition.condition_id)
        .order_by(Score.training_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(Condition.condition_id, Evaluation.evaluation_id, Evaluation.specification)
        .join(Evaluation, Evaluation.evaluation_id == newest)
        .where(facts.among(Condition.condition_id, ids))
    )
    rows = {row[0]: (row[1], row[2]) for row in connection.execute(statement)}
    checked: dict[int, set[str]] = {}
    checks = select(ReliabilityCheck.evaluation_id, ReliabilityCheck.name).where(
        facts.among(ReliabilityCheck.evaluation_id, [row[0] for row in rows.values()])
    )
    for evaluation_id, name in connection.execute(checks):
        checked.setdefault(evaluation_id, set()).add(name)
    found = {}
    for condition_id, (evaluation_id, specification) in rows.items():
        names = checked.get(evaluation_id)
        follows = None if names is None else VANISHING_GRADIENTS in names
        parameters = mapping_in(mapping_in(specification, "attack"), "parameters")
        found[condition_id] = _Attack(text_in(specification, "attack", "name"), parameters, follows)
    return found


def _pairs(
    asked: Mapping[int, KnownCondition],
    rivals: Sequence[KnownCondition],
    attacks: Mapping[int, _Attack],
) -> Iterator[tuple[int, int, str]]:
    """Conditions, others within the same ball, and what it says if those break more."""
    for number, condition in asked.items():
        for rival in rivals:
            if number in attacks and rival.condition_id in attacks and _is_within(rival, condition):
                mine, theirs = attacks[number], attacks[rival.condition_id]
                why = _why(condition, rival, mine, theirs)
                if why is not None:
                    yield number, rival.condition_id, why


def _is_within(rival: KnownCondition, condition: KnownCondition) -> bool:
    """Whether all that a rival may find on the same model lies in the condition's ball as well."""
    return (
        condition.cut is None
        and rival.state == condition.state
        and rival.attack_norm == condition.attack_norm
        and (rival.epsilon or 0.0) <= (condition.epsilon or 0.0) + _SAME_EPSILON
    )


def _why(
    condition: KnownCondition, rival: KnownCondition, mine: _Attack, theirs: _Attack
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


def _contradictions(
    connection: Connection,
    metric: KnownMetric,
    training_ids: Collection[int],
    pairs: Sequence[tuple[int, int, str]],
) -> Iterator[tuple[Place, str]]:
    """Scores that cannot be the worst case, by others of the same model on as many images."""
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
            gap = (by_condition[number] - by_condition[rival]).dropna()
            for training_id, n in gap.index[gap > _LARGEST_GAP[why]]:
                yield (training_id, number, n), why


def _inherited(
    connection: Connection,
    training_ids: Collection[int],
    asked: Mapping[int, KnownCondition],
    rivals: Sequence[KnownCondition],
    attacks: Mapping[int, _Attack],
) -> Iterator[Place]:
    """Single steps on models whose gradients are masked for an attack of many steps."""
    single = {
        number: item
        for number, item in asked.items()
        if item.criterion == "exact" and number in attacks and attacks[number].follows_gradients
    }
    if not single:
        return
    known = {item.condition_id: item for item in rivals}
    masked = {
        (training_id, known[condition_id].state, known[condition_id].attack_mode)
        for (training_id, condition_id, _), names in _stored(
            connection, training_ids, known
        ).items()
        if FULL_RANGE in names
    }
    statement = select(Evaluation.training_id, Evaluation.condition_id, Evaluation.n).where(
        facts.among(Evaluation.training_id, {training_id for training_id, _, _ in masked}),
        facts.among(Evaluation.condition_id, single),
    )
    for training_id, condition_id, n in connection.execute(statement):
        condition = single[condition_id]
        if (training_id, condition.state, condition.attack_mode) in masked:
            yield training_id, condition_id, n

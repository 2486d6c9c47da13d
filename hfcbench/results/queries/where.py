"""Which results a question is about: filters that combine with ``&``, ``|`` and ``~``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypedDict, cast

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from hfcbench.errors import UsageError
from hfcbench.results.schema import Condition, Dataset, Training, TrainingHeuristic

Names: TypeAlias = str | Collection[str] | None
Numbers: TypeAlias = float | Collection[float] | None


class TrainingFilters(TypedDict, total=False):
    """Fields of :class:`Where` about trainings, as keyword arguments; all given must hold."""

    dataset: Names
    fingerprint: Names
    scale: Names
    model: Names
    heuristic: Names
    trained_on: Names
    seed: Numbers
    trainings: Names


class RowFilters(TrainingFilters, total=False):
    """And those about what a model was evaluated with, whatever it was shown."""

    split: Names
    defence: Names
    decomposition: Names
    rescaling: Names
    attack_norm: Names
    criterion: Names
    attack_mode: Names


class Filters(RowFilters, total=False):
    """All fields of :class:`Where`."""

    attack: Names
    epsilon: Numbers
    component: Names
    part: Names
    cutoff: Numbers


class Filter(ABC):
    """What all filters share: they combine into others and say which fields they use."""

    @abstractmethod
    def clause(self) -> ColumnElement[bool]:
        """The condition over ``datasets``, ``trainings`` and ``conditions``."""

    @abstractmethod
    def used(self) -> frozenset[str]:
        """The names of the fields that are restricted."""

    def __and__(self, other: Filter) -> Filter:
        return _Combined((self, other), and_)

    def __or__(self, other: Filter) -> Filter:
        return _Combined((self, other), or_)

    def __invert__(self) -> Filter:
        return _Not(self)


@dataclass(frozen=True)
class Where(Filter):
    """Results for which every given field holds; a collection means any of its values.

    Attributes:
        dataset: name.
        fingerprint: beginning of the dataset's fingerprint.
        scale: ``full`` or ``quick``.
        model: beginning of the label, e.g. ``resnet18``.
        heuristic: one of the training's heuristics, with or without parameters; ``vanilla`` means
            a training with none.
        trained_on: component, e.g. ``original``.
        seed: of the training.
        trainings: identities.
        split: e.g. ``test``.
        defence: label with or without its parameters; ``none`` means undefended.
        attack: label with or without its parameters; ``none`` means clean.
        epsilon: strength of the attack.
        component: e.g. ``original`` or ``lfc@8``.
        part: ``original``, ``lfc``, ``hfc``, ...
        cutoff: radius or rank.
        decomposition: label; originals always belong to it.
        rescaling: originals always belong to it.
        attack_norm: ``linf`` or ``l2``; clean results always belong to it, as to the next two.
        criterion: ``worst-case``, ``exact`` or ``full``.
        attack_mode: ``adaptive``, ``transfer`` or ``oblivious``.
    """

    dataset: Names = None
    fingerprint: Names = None
    scale: Names = None
    model: Names = None
    heuristic: Names = None
    trained_on: Names = None
    seed: Numbers = None
    trainings: Names = None
    split: Names = None
    defence: Names = None
    attack: Names = None
    epsilon: Numbers = None
    component: Names = None
    part: Names = None
    cutoff: Numbers = None
    decomposition: Names = None
    rescaling: Names = None
    attack_norm: Names = None
    criterion: Names = None
    attack_mode: Names = None

    def clause(self) -> ColumnElement[bool]:
        return and_(
            true(), *(_CLAUSES[name](_values(getattr(self, name))) for name in sorted(self.used()))
        )

    def used(self) -> frozenset[str]:
        return frozenset(
            field.name for field in fields(self) if getattr(self, field.name) is not None
        )


@dataclass(frozen=True)
class _Combined(Filter):
    parts: tuple[Filter, ...]
    join: Callable[..., ColumnElement[bool]]

    def clause(self) -> ColumnElement[bool]:
        return self.join(*(part.clause() for part in self.parts))

    def used(self) -> frozenset[str]:
        return frozenset().union(*(part.used() for part in self.parts))


@dataclass(frozen=True)
class _Not(Filter):
    inner: Filter

    def clause(self) -> ColumnElement[bool]:
        return not_(self.inner.clause())

    def used(self) -> frozenset[str]:
        return self.inner.used()


OF_TRAININGS = frozenset(TrainingFilters.__annotations__)
"""Fields that say which trainings are meant, and nothing about evaluations."""

OF_ROWS = frozenset(RowFilters.__annotations__) | OF_TRAININGS
"""And those that say what a model was evaluated with, whatever it was shown."""


def combined(
    where: Filter | None, filters: TrainingFilters, allowed: Collection[str] | None
) -> Filter:
    """One filter from a question's two ways to give it.

    Raises:
        UsageError: a field is restricted that this question has no use for.
    """
    given = Where(**cast(dict[str, Any], filters))
    result = given if where is None else given & where
    refused = sorted(result.used() - set(allowed)) if allowed is not None else []
    if refused:
        raise UsageError(f"this question cannot be restricted by '{refused[0]}'")
    return result


def _values(given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Collection):
        return [given]
    return list(given)


def _is(column: InstrumentedAttribute[Any]) -> Callable[[list[Any]], ColumnElement[bool]]:
    return lambda values: column.in_(values)


def _begins(column: InstrumentedAttribute[str]) -> Callable[[list[Any]], ColumnElement[bool]]:
    # Not LIKE, in which % and _ mean something.
    return lambda values: or_(
        not_(true()), *(func.substr(column, 1, len(value)) == value for value in values)
    )


def _is_or_null(column: InstrumentedAttribute[Any]) -> Callable[[list[Any]], ColumnElement[bool]]:
    return lambda values: or_(column.in_(values), column.is_(None))


def _is_or_has_parameters(
    column: InstrumentedAttribute[str],
) -> Callable[[list[Any]], ColumnElement[bool]]:
    def clause(values: list[Any]) -> ColumnElement[bool]:
        return or_(column.in_(values), _begins(column)([f"{value}(" for value in values]))

    return clause


def _has_heuristic(values: list[Any]) -> ColumnElement[bool]:
    named = [value for value in values if value != "vanilla"]
    mine = TrainingHeuristic.training_id == Training.training_id
    has_one = exists().where(
        mine, or_(TrainingHeuristic.label.in_(named), TrainingHeuristic.name.in_(named))
    )
    return or_(has_one, ~exists().where(mine)) if len(named) < len(values) else has_one


_CLAUSES: dict[str, Callable[[list[Any]], ColumnElement[bool]]] = {
    "dataset": _is(Dataset.name),
    "fingerprint": _begins(Dataset.fingerprint),
    "scale": _is(Training.scale),
    "model": _begins(Training.model),
    "heuristic": _has_heuristic,
    "trained_on": _is(Training.trained_on),
    "seed": _is(Training.seed),
    "trainings": _is(Training.identity),
    "split": _is(Condition.split),
    "defence": _is_or_has_parameters(Condition.defence),
    "attack": _is_or_has_parameters(Condition.attack),
    "epsilon": _is(Condition.epsilon),
    "component": _is(Condition.component),
    "part": _is(Condition.part),
    "cutoff": _is(Condition.cutoff),
    "decomposition": _is_or_null(Condition.decomposition),
    "rescaling": _is_or_null(Condition.rescaling),
    "attack_norm": _is_or_null(Condition.attack_norm),
    "criterion": _is_or_null(Condition.criterion),
    "attack_mode": _is_or_null(Condition.attack_mode),
}

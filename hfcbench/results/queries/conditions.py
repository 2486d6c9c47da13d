"""Conditions and metrics in memory: a few rows that tell which scores a question needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from hfcbench.errors import UsageError, nearest
from hfcbench.results.schema import Condition, Metric

Cut: TypeAlias = tuple[str, str | None, str | None]
"""Decomposition, its version, and rescaling: scores of different cuts never compare."""

_PARTS = ("lfc", "hfc", "band", "rest")


@dataclass(frozen=True)
class KnownCondition:
    """A row of table ``conditions``."""

    condition_id: int
    procedure: str
    split: str
    defence: str
    defence_version: str | None
    attack: str
    attack_version: str | None
    epsilon: float | None
    component: str
    part: str
    cutoff: float | None
    cutoff_inner: float | None
    decomposition: str | None
    decomposition_version: str | None
    rescaling: str | None
    attack_norm: str | None = None
    criterion: str | None = None
    attack_mode: str | None = None
    attack_precision: str | None = None
    smaller_epsilons: str | None = None

    @property
    def state(self) -> tuple[str, str, str, str | None]:
        """What the model is in: evaluation procedure, split, and defence with its version."""
        return self.procedure, self.split, self.defence, self.defence_version

    @property
    def cut(self) -> Cut | None:
        """How the images were split; None for originals."""
        if self.decomposition is None:
            return None
        return self.decomposition, self.decomposition_version, self.rescaling

    @property
    def is_attacked(self) -> bool:
        return self.attack != "none"

    @property
    def is_adaptive(self) -> bool:
        """Whether nothing was kept from the attack, if there is one."""
        return self.attack_mode in (None, "adaptive")

    @property
    def is_original(self) -> bool:
        """Whether this is the clean original, which everything is held against."""
        return self.cut is None and not self.is_attacked


@dataclass(frozen=True)
class KnownMetric:
    """A metric in the version that counts, and the ids of its older versions."""

    metric_id: int
    name: str
    version: str
    higher_is_better: bool
    older: tuple[int, ...]


def known_conditions(connection: Connection) -> list[KnownCondition]:
    """All conditions, in the order in which they were first met."""
    columns = [getattr(Condition, name) for name in KnownCondition.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(Condition.condition_id))
    return [KnownCondition(*row) for row in rows]


def known_metric(connection: Connection, name: str) -> KnownMetric | None:
    """The newest version of a metric; None in a database without scores.

    Raises:
        UsageError: there are scores, but none of this metric.
    """
    found = newest_metric(connection, name)
    names = set() if found else set(connection.scalars(select(Metric.name)))
    if names:
        raise UsageError(f"there are no scores of metric '{name}'; " + nearest(name, sorted(names)))
    return found


def newest_metric(connection: Connection, name: str) -> KnownMetric | None:
    """The newest version of a metric; None where there are no scores of it."""
    columns = (Metric.metric_id, Metric.name, Metric.version, Metric.higher_is_better)
    rows: list[Any] = list(connection.execute(select(*columns).where(Metric.name == name)))
    if not rows:
        return None
    *older, newest = sorted(rows, key=lambda row: _natural(row[2]))
    return KnownMetric(newest[0], newest[1], newest[2], newest[3], tuple(row[0] for row in older))


def column_names(conditions: Iterable[KnownCondition]) -> dict[int, str]:
    """What the leaderboard's column of each condition is called, by condition id.

    ``original``, ``lfc@8``, ``fgsm@0.03``, ``lfc@8 under transfer pgd@0.03``. Where components
    were cut in several ways, an attack has several versions, or its images were searched for in
    several ways, the names say which: ``lfc@8 [svd, none]``, ``pgd@0.06 [worst-case after 0.03]``.
    """
    items = list(conditions)
    searches = _searches(items)
    cuts = {item.cut for item in items if item.cut is not None}
    cut_names = _cut_names(cuts)
    versions: dict[str, set[str | None]] = {}
    for item in items:
        versions.setdefault(item.attack, set()).add(item.attack_version)
    names: dict[int, str] = {}
    for item in items:
        name = item.component
        if item.cut is not None and len(cuts) > 1:
            name += f" [{cut_names[item.cut]}]"
        if item.is_attacked:
            attack = attack_name(item, several_versions=len(versions[item.attack]) > 1)
            if len(searches[_searched(item)]) > 1:
                attack += f" [{search_name(item)}]"
            name = attack if item.cut is None else f"{name} under {attack}"
        names[item.condition_id] = name
    return names


def _searched(item: KnownCondition) -> tuple[object, ...]:
    """What an attack's images were searched under, but for how; also on other models."""
    of = (item.attack, item.attack_version, item.epsilon, item.attack_mode)
    return (*of, item.component, item.cut)


def _searches(items: Iterable[KnownCondition]) -> dict[tuple[object, ...], set[str]]:
    found: dict[tuple[object, ...], set[str]] = {}
    for item in items:
        found.setdefault(_searched(item), set()).add(search_name(item))
    return found


def search_name(item: KnownCondition) -> str:
    """``worst-case after 0.03``, ``full, bfloat16``."""
    after = f" after {item.smaller_epsilons}" if item.smaller_epsilons else ""
    precision = f", {item.attack_precision}" if item.attack_precision == "bfloat16" else ""
    return f"{item.criterion}{after}{precision}"


def attack_name(condition: KnownCondition, *, several_versions: bool) -> str:
    """``fgsm@0.03``, or ``fgsm v2@0.03`` where there are several versions."""
    version = f" v{condition.attack_version}" if several_versions else ""
    mode = "" if condition.is_adaptive else f"{condition.attack_mode} "
    return f"{mode}{condition.attack}{version}@{strength(condition.epsilon or 0.0)}"


def condition_name(condition: KnownCondition) -> str:
    """A condition in one line: component, attack, defence."""
    parts = [condition.component]
    if condition.cut is not None:
        parts.append(f"[{condition.decomposition}, {condition.rescaling}]")
    parts += circumstances(condition.attack, condition.epsilon, condition.defence)
    if condition.is_attacked:
        said = [] if condition.is_adaptive else [str(condition.attack_mode)]
        said += [] if condition.criterion == "exact" else [search_name(condition)]
        parts += [f"[{', '.join(said)}]"] if said else []
    return " ".join(parts)


def circumstances(attack: str, epsilon: float | None, defence: str) -> list[str]:
    """``under fgsm@0.03`` and ``with jpeg``, where there are an attack and a defence."""
    found = [] if attack == "none" else [f"under {attack}@{strength(epsilon or 0.0)}"]
    return found if defence == "none" else [*found, f"with {defence}"]


def strength(epsilon: float) -> str:
    """An epsilon as short as it can be told exactly."""
    short = f"{epsilon:g}"
    return short if float(short) == epsilon else repr(epsilon)


def column_order(condition: KnownCondition) -> tuple[object, ...]:
    """Sorts columns: the original, components by part and cutoff, attacks, attacked components."""
    position = _PARTS.index(condition.part) if condition.part in _PARTS else len(_PARTS)
    kind = (condition.is_attacked, condition.cut is not None)
    # Behind an attack that knows everything, those that do not.
    knows = (not condition.is_adaptive, str(condition.attack_mode))
    attack = (condition.attack, str(condition.attack_version), *knows, condition.epsilon or 0.0)
    cut = tuple(map(str, condition.cut or ()))
    ends = (condition.cutoff or 0.0, condition.cutoff_inner or 0.0)
    if condition.is_attacked:
        return (*kind, *attack, position, condition.part, cut, *ends)
    return (*kind, "", "", False, "", 0.0, position, condition.part, cut, *ends)


def main_cut(counts: Mapping[Cut, int]) -> Cut | None:
    """The way of cutting that most conditions have; the first of equals by name."""
    return min(counts, key=lambda cut: (-counts[cut], tuple(map(str, cut))), default=None)


def middle(values: Iterable[float]) -> float | None:
    """The middle one of the different values, the lower of two."""
    ordered = sorted(set(values))
    return ordered[(len(ordered) - 1) // 2] if ordered else None


def _cut_names(cuts: Iterable[Cut]) -> dict[Cut, str]:
    known = list(cuts)
    names = {}
    for cut in known:
        decomposition, version, rescaling = cut
        several = len({other[1] for other in known if other[0] == decomposition}) > 1
        names[cut] = f"{decomposition}{f' v{version}' if several else ''}, {rescaling}"
    return names


def _natural(version: str) -> list[tuple[int, str]]:
    """A key that puts version 10 behind version 9."""
    return [(int(digits or 0), other) for digits, other in re.findall(r"(\d+)|(\D+)", version)]

"""Quantities by the condition that they were measured under, averaged over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hfcbench.quantities import Quantity
from hfcbench.reports.figures.selection import IDENTITY, Measured, footnote
from hfcbench.reports.study import StudiedQuantity, Study
from hfcbench.results.statistics import half_width

_ASPECTS = ("model", "heuristics", "trained_on", "analysis", "defence", "attack", "epsilon")


@dataclass(frozen=True)
class Condition:
    """One model under one condition, with the same analysis of each seed.

    Attributes:
        label: what tells it from the others of its dataset.
        members: at least one; one per seed.
    """

    label: str
    members: tuple[Measured, ...]

    @property
    def about(self) -> StudiedQuantity:
        return self.members[0].about

    def average(self, name: str) -> Quantity | None:
        """The mean of a quantity over seeds; None where no seed has it.

        Its bounds are Student's t interval with several seeds, else those it was stored with.
        """
        held = [member.quantities[name] for member in self.members if name in member.quantities]
        if len(held) < 2 or any(one.axes != held[0].axes for one in held):
            return held[0] if held else None
        values = np.stack([np.asarray(one.values, dtype=float) for one in held])
        spread = values.std(axis=0, ddof=1)
        half = half_width(spread, np.full(spread.shape, len(held)))
        mean = values.mean(axis=0)
        return replace(held[0], values=mean, low=mean - half, high=mean + half)


def by_dataset(found: Sequence[Measured]) -> dict[str, list[Condition]]:
    """The conditions of each dataset, in order of appearance."""
    held: dict[str, dict[tuple[object, ...], list[Measured]]] = {}
    for one in found:
        key = tuple(getattr(one.about, name) for name in _ASPECTS)
        held.setdefault(one.about.dataset, {}).setdefault(key, []).append(one)
    return {dataset: _labelled(conditions) for dataset, conditions in held.items()}


def _labelled(held: dict[tuple[object, ...], list[Measured]]) -> list[Condition]:
    several = [
        place for place in range(len(_ASPECTS)) if len({key[place] for key in held}) > 1
    ] or [0]
    found = []
    for key, members in held.items():
        parts = [_text(_ASPECTS[place], key[place]) for place in several]
        label = ", ".join(part for part in parts if part) or "undefended"
        found.append(Condition(label, tuple(members)))
    return found


def _text(aspect: str, value: object) -> str:
    if value is None or value == "none":
        return ""
    return f"eps {value:g}" if aspect == "epsilon" else str(value)


def scalars(found: Sequence[Measured]) -> pd.DataFrame:
    """One row per quantity that is a single number.

    Returns:
        ``training``, the identity's columns, ``seed``, ``analysis``, ``defence``, ``attack``,
        ``epsilon``, ``name``, ``unit``, ``value``, ``low``, ``high`` (NaN where none), ``n``.
    """
    rows = []
    for one in found:
        about = one.about
        row = {name: getattr(about, name) for name in ("training", *IDENTITY, "seed")}
        row |= {name: getattr(about, name) for name in ("analysis", "defence", "attack")}
        row["epsilon"] = np.nan if about.epsilon is None else about.epsilon
        for quantity in one.quantities.values():
            if not quantity.axes:
                bounds = {
                    end: np.nan if bound is None else float(bound)
                    for end, bound in (("low", quantity.low), ("high", quantity.high))
                }
                value = {"value": float(quantity.values)}
                named = {"name": quantity.name, "unit": quantity.unit}
                rows.append(row | named | value | bounds | {"n": quantity.n})
    return pd.DataFrame(rows)


def conditions_footnote(study: Study, shown: Sequence[Condition], *more: str) -> str:
    """The footnote of a figure of these conditions."""
    members = [member for condition in shown for member in condition.members]
    n = {quantity.n for member in members for quantity in member.quantities.values()}
    datasets = [member.about.dataset for member in members]
    seeds = [member.about.seed for member in members]
    return footnote(study, datasets, seeds, sorted(n), *more)


def subject_title(condition: Condition) -> str:
    """What a condition is of, in full: ``cifar10, resnet18, vanilla``."""
    about = condition.about
    parts = [about.dataset, about.model, about.heuristics]
    if about.trained_on != "original":
        parts.append(f"trained on {about.trained_on}")
    if about.defence != "none":
        parts.append(about.defence)
    return ", ".join(parts)

"""Which rows a figure is made from, and what is said about them below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.errors import UsageError
from hfcbench.reports.figures.drawing import file_name
from hfcbench.reports.study import StudiedQuantity, Study

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.quantities import Quantity

IDENTITY = ("dataset", "model", "heuristics", "trained_on")


@dataclass(frozen=True)
class Group:
    """The rows of one figure of several.

    Attributes:
        title: what its rows have in common, e.g. ``cifar10, resnet18``.
        suffix: ends its file name; empty where the study has this one group only.
    """

    title: str
    suffix: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class Measured:
    """All quantities of one analysis of one model under one condition."""

    about: StudiedQuantity
    quantities: dict[str, Quantity]


def nothing_to_draw(study: Study, needed: str) -> UsageError:
    """The error of a figure whose rows are not there."""
    return UsageError(
        f"nothing to draw for '{study.suite}' ({needed}): "
        f"{study.missing} of {_planned(study)} results are missing",
        hint=study.command,
    )


def required(study: Study, rows: pd.DataFrame, needed: str) -> pd.DataFrame:
    """The rows as given, or UsageError if there are none."""
    if rows.empty:
        raise nothing_to_draw(study, needed)
    return rows


def groups(study: Study, rows: pd.DataFrame, varied: Sequence[str]) -> Iterator[Group]:
    """One group per value of what a figure does not vary: the dataset, the model, ..."""
    fixed = [name for name in IDENTITY if name not in varied]
    several = [name for name in fixed if rows[name].nunique() > 1]
    for key, part in in_plan_order(study, rows).groupby(fixed, sort=False):
        values = dict(zip(fixed, map(str, key), strict=True))
        shown = [values[name] for name in fixed if name in ("dataset", "model") or name in several]
        yield Group(", ".join(shown), file_name(*(values[name] for name in several)), part)


def in_plan_order(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order in which the plan names their trainings."""
    order = {name: place for place, name in enumerate(study.trainings["training"])}
    places = rows["training"].map(order).fillna(len(order))
    return rows.assign(_place=places).sort_values("_place", kind="stable").drop(columns="_place")


def measured(study: Study, analysis_name: str) -> list[Measured]:
    """The finished analyses of one kind, in the order of the study.

    Raises:
        UsageError: there are none.
    """
    found: dict[tuple[object, ...], Measured] = {}
    for entry in study.quantities:
        if entry.analysis_name != analysis_name:
            continue
        key = (entry.training, entry.analysis, entry.defence, entry.attack, entry.epsilon)
        held = found.setdefault(key, Measured(entry, {}))
        held.quantities[entry.quantity.name] = entry.quantity
    if not found:
        raise nothing_to_draw(study, f"quantities of the analysis '{analysis_name}'")
    return list(found.values())


def footnote(
    study: Study, datasets: Sequence[str], seeds: Sequence[int], n: Sequence[int], *more: str
) -> str:
    """What the numbers of a figure rest on, for the line below it."""
    scale = "full scale"
    if study.scale == "quick":
        scale = "quick scale: not the study's full size"
    parts = [f"{study.suite}: {', '.join(dict.fromkeys(datasets))}", scale]
    parts.append(f"{_count(len(set(seeds)), 'seed')} ({', '.join(map(str, sorted(set(seeds))))})")
    images = sorted({int(number) for number in n if number > 0})
    if images:
        span = f"{images[0]:,}" + (f" to {images[-1]:,}" if len(images) > 1 else "")
        parts.append(f"n = {span} images per value")
    parts += [text for text in more if text]
    if study.missing:
        parts.append(f"{study.missing} of {_planned(study)} results are missing")
    return "; ".join(parts) + "."


def rows_footnote(study: Study, rows: pd.DataFrame, *more: str) -> str:
    """:func:`footnote` of curves or scores."""
    seeds = [int(seed) for seed in rows["seed"].unique()]
    return footnote(study, list(rows["dataset"]), seeds, list(rows["n"].unique()), *more)


def interval_note(rows: pd.DataFrame, one_seed: str = "Wilson's interval") -> str:
    """Which 95% interval is drawn, for a footnote; both where only some have several seeds.

    Args:
        one_seed: what the interval of a model with one seed is.
    """
    seeds = rows.groupby(list(IDENTITY))["seed"].nunique()
    return "95% " + mixed_note(int(seeds.min()), int(seeds.max()), one_seed)


def mixed_note(fewest: int, most: int, one_seed: str) -> str:
    """Names the interval of groups with ``fewest`` to ``most`` seeds."""
    if most == 1:
        return one_seed
    several = "Student's t interval of the mean over seeds"
    return several if fewest > 1 else f"{several}, or of one seed alone {one_seed}"


def _planned(study: Study) -> int:
    done = int(study.trainings["done"].sum()) if len(study.trainings) else 0
    evaluations = study.scores["evaluation"].nunique() if len(study.scores) else 0
    analyses = {
        (entry.training, entry.analysis, entry.defence, entry.attack, entry.epsilon)
        for entry in study.quantities
    }
    return study.missing + done + int(evaluations) + len(analyses)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

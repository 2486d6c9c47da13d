"""What tables of several frames share: which columns, and how a cell reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.references import short_labels
from hfcbench.reliability_checks import ADVICE

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.conditions import KnownCondition

Row = list[Any]

_ALWAYS = ("model", "heuristics", "defence")
_ID_DIGITS = 8
_LONG = 40
"""Characters of a model's label, which leave room for the numbers beside it."""


def wide(frame: pd.DataFrame) -> tuple[list[str], list[Row]]:
    """Every column of the frame."""
    columns = [str(column) for column in frame.columns]
    rows = [[known(record[column]) for column in columns] for record in frame.to_dict("records")]
    return columns, rows


def varying(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Names that tell rows apart; model, heuristics and defence are shown in any case."""
    return [
        name
        for name in names
        if name in frame.columns and (name in _ALWAYS or frame[name].nunique(dropna=False) > 1)
    ]


def short_models(frame: pd.DataFrame) -> dict[str, str]:
    """How to write each model's label; long ones without what all models of their name share."""
    labels = list(dict.fromkeys(map(str, frame["model"]))) if "model" in frame.columns else []
    short = short_labels("model", labels)
    return {label: short[label] if len(label) > _LONG else label for label in labels}


def shortened(frame: pd.DataFrame) -> list[str]:
    """What each shortened label stands for, a line each."""
    return [f"{short}: {label}" for label, short in short_models(frame).items() if short != label]


def cut_name(condition: KnownCondition) -> str:
    """How a condition's images were cut, with what changes every number."""
    return (
        f"{condition.decomposition} (version {condition.decomposition_version}), "
        f"rescaling {condition.rescaling}"
    )


def advice(flags: Iterable[str]) -> list[str]:
    """What each of these flags says, and what to run."""
    return [f"flag {name}: {ADVICE[name]}" for name in flags if name in ADVICE]


def with_interval(record: dict[Any, Any], name: str) -> str:
    """``0.799 [0.773, 0.823]``; empty where the value is not known."""
    value, low, high = (number(record[column]) for column in (name, f"{name}_low", f"{name}_high"))
    return f"{value} [{low}, {high}]" if value else ""


def number(value: Any) -> str:
    """Three decimals, or nothing."""
    value = known(value)
    return "" if value is None else f"{value:.3f}"


def short_id(identity: Any) -> str:
    """Enough of a training's identity to name it to other commands."""
    return str(identity)[:_ID_DIGITS] if len(str(identity)) > 1 else ""


def known(value: Any) -> Any:
    """A value without pandas' ways of saying that there is none."""
    import pandas as pd

    return None if value is None or pd.isna(value) else value

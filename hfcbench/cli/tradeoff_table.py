"""Formatting accuracy against robust accuracy for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hfcbench.cli.frames import (
    Row,
    advice,
    cut_name,
    known,
    number,
    short_id,
    varying,
    with_interval,
)
from hfcbench.results.queries.conditions import strength
from hfcbench.results.queries.naming import NAMES, SECTION

if TYPE_CHECKING:
    from hfcbench.results.queries.tradeoff import Tradeoff

_NAMES = ("group", *SECTION, "n_attacked", *NAMES, "rows")

LEAST = (
    *(name for name in _NAMES if name not in ("model", "heuristics", "defence", "dataset")),
    *("three-way front", "attacked by", "flags", "dataset", "heuristics", "defence"),
)
"""Columns that a narrow terminal can do without, the least needed first."""


def compact(found: Tradeoff) -> tuple[list[str], list[Row]]:
    """Who a row is of where rows differ in it, the three accuracies, the fronts and the doubts."""
    frame = found.frame
    names = varying(frame, _NAMES)
    measured = {"clean": "clean"}
    if found.low is not None:
        measured[found.low.component] = "lfc"
    measured[f"robust@{strength(found.epsilon or 0.0)}"] = "robust"
    doubted = bool(frame["flags"].astype(bool).any())
    fronts = ["front", *(["three_way_front"] if found.low is not None else [])]
    last = [*fronts, "attacked_by", *(["flags"] if doubted else [])]
    rows: list[Row] = []
    for record in frame.to_dict("records"):
        rows.append(
            [
                *(known(record[name]) for name in names),
                *(with_interval(record, name) for name in measured.values()),
                number(record["gap"]),
                *(record[name] for name in last),
                short_id(record["training"]),
            ]
        )
    readable = [name.replace("three_way", "three-way").replace("_", " ") for name in last]
    heading = [f"{name} [95% CI]" for name in measured]
    return [*names, *heading, "gap", *readable, "id"], rows


def notes(found: Tradeoff) -> list[str]:
    """What a reader must know beside the rows: what was measured, and what does not compare."""
    from hfcbench.results.queries.reliability import flags_among

    frame, lines = found.frame, []
    if found.epsilon is not None:
        lines.append(
            "robust: right when clean and under every attack within the L-infinity ball of "
            f"epsilon {strength(found.epsilon)}, image by image; true values may be lower"
        )
    if found.low is not None:
        lines.append(f"{found.low.component}: {cut_name(found.low)}")
    if len(frame):
        lines.append("front: no other is at least as good in clean and robust, and better in one")
    if found.low is not None and len(frame):
        lines.append(f"three-way front: the same of clean, {found.low.component} and robust")
    if "rows" in frame and (frame["rows"] > 1).any():
        lines.append("means over so many rows, with Student's t intervals")
    if (frame["n_attacked"] < frame["n"]).any():
        lines.append("gap: lost of the attacked images, which are fewer than the clean ones")
    if frame["group"].nunique() > 1:
        lines.append(
            f"{frame['group'].nunique()} groups, of other images, procedures or attacks: "
            "rows of different groups do not compare"
        )
    lines += advice(flags_among(frame["flags"]))
    return [*lines, *(f"left out: {item}" for item in found.left_out)]

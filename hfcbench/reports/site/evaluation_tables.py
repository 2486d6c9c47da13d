"""Tables of a training's evaluations, classes and analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.quantities import Quantity
from hfcbench.reports.site.elements import Cell, Column, Row, Table
from hfcbench.reports.site.wording import (
    decimals,
    finite,
    interval_text,
    number_cell,
    score_cell,
    text_cell,
)
from hfcbench.results.queries.conditions import strength

if TYPE_CHECKING:
    import pandas as pd


def evaluation_table(scores: pd.DataFrame) -> Table:
    """Every score of every evaluation, in the order in which they were made."""
    columns = (
        Column("component"),
        Column("attack"),
        Column("defence"),
        Column("split"),
        Column("metric"),
        Column("value", "number"),
        Column("95% interval", "number"),
        Column("n", "number"),
        Column("flags"),
        Column("evaluation", "code"),
    )
    rows = tuple(Row(_evaluation(record)) for record in scores.to_dict("records"))
    return Table("evaluations", "All scores of this training", columns, rows)


def class_table(
    rows: pd.DataFrame, name: str = "class-scores", caption: str = "Scores by class"
) -> Table:
    """A row per class, a column per component; ``n`` counts objects.

    Args:
        rows: of one detector, as ``Store.class_scores`` has them.
        name, caption: of the table.
    """
    components = list(dict.fromkeys(rows["component"]))
    columns = (
        Column("class"),
        Column("objects", "number"),
        *(Column(str(component), "score") for component in components),
    )
    made = []
    for class_name, of_class in rows.groupby("class_name", sort=True):
        found = {record["component"]: record for record in of_class.to_dict("records")}
        cells = [text_cell(class_name), number_cell(float(of_class["n"].iloc[0]))]
        for component in components:
            record = found.get(component, {})
            cells.append(score_cell(record.get("value"), record.get("low"), record.get("high")))
        made.append(Row(tuple(cells)))
    return Table(name, caption, columns, tuple(made))


def quantity_table(
    analyses: Sequence[Mapping[str, Any]], quantities: Mapping[str, Sequence[Quantity]]
) -> Table | None:
    """What numbers analyses found, with intervals; arrays are pictures, or in the database."""
    rows = [
        Row(_quantity(str(analysis["condition"]), quantity))
        for analysis in analyses
        for quantity in quantities.get(str(analysis["identity"]), ())
        if not quantity.axes
    ]
    if not rows:
        return None
    columns = (
        Column("analysis"),
        Column("quantity"),
        Column("value", "number"),
        Column("95% interval", "number"),
        Column("unit"),
        Column("n", "number"),
    )
    return Table("quantities", "What analyses of this training found", columns, tuple(rows))


def _evaluation(record: Mapping[Any, Any]) -> tuple[Cell, ...]:
    cut = record["decomposition"]
    note = f"{cut}, {record['rescaling']}" if isinstance(cut, str) else ""
    value, low, high = (finite(record[name]) for name in ("value", "low", "high"))
    doubt = "doubt" if record["flags"] else ""
    return (
        text_cell(record["component"], note=note),
        _attack(record),
        text_cell(record["defence"]),
        text_cell(record["split"]),
        text_cell(record["metric"]),
        Cell(decimals(record["value"]), value, tone=doubt),
        Cell(interval_text(low, high), low),
        Cell(f"{record['n']:,}", float(record["n"])),
        text_cell(record["flags"], tone=doubt),
        text_cell(str(record["evaluation"])[:12]),
    )


def _attack(record: Mapping[Any, Any]) -> Cell:
    if record["attack"] == "none":
        return text_cell("none")
    epsilon = finite(record["epsilon"])
    said = "" if epsilon is None else f"@{strength(epsilon)}"
    mode = record["attack_mode"]
    note = mode if isinstance(mode, str) and mode != "adaptive" else ""
    return text_cell(f"{record['attack']}{said}", note=note)


def _quantity(analysis: str, quantity: Quantity) -> tuple[Cell, ...]:
    names = (text_cell(analysis), text_cell(quantity.name))
    rest = (text_cell(quantity.unit), number_cell(float(quantity.n), f"{quantity.n:,}"))
    low, high = (None if end is None else finite(end) for end in (quantity.low, quantity.high))
    value = float(quantity.values)
    return (
        *names,
        Cell(decimals(value), finite(value)),
        Cell(interval_text(low, high), low),
        *rest,
    )

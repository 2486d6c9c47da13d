"""Charts of leaderboards: scores on components against those on originals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hfcbench.reports.site.board_tables import headings
from hfcbench.reports.site.elements import Cell, Chart, Column, Row, Series, Table
from hfcbench.reports.site.reading import Board
from hfcbench.reports.site.wording import finite, score_cell, text_cell

if TYPE_CHECKING:
    import pandas as pd

COLOUR_OF_PART = {"original": 0, "lfc": 1, "hfc": 2}
"""A part has one colour on all pages; others get those behind."""


def original_against_parts(board: Board, rows: pd.DataFrame, name: str) -> Chart | None:
    """Every row as a point for each component; None where no row has a score on one."""
    conditions = board.leaderboard.conditions
    parts = [part for part in headings(board).parts if rows[part].notna().any()]
    known = rows[rows["original"].notna()]
    if not parts or known.empty:
        return None
    labels = [_label(record) for record in known.to_dict("records")]
    series = [
        Series(
            part,
            tuple(known["original"].astype(float)),
            tuple(finite(value) for value in known[part]),
            COLOUR_OF_PART.get(conditions[part].part, 3 + position),
            points=True,
            names=tuple(labels),
        )
        for position, part in enumerate(parts)
    ]
    return Chart(
        f"chart-{name}",
        "Original against components",
        "Each point is a row of the table: to the right its score on original images, upwards on "
        f"{' and '.join(parts)}. Points below the dashed line lose by the cut.",
        "on originals",
        "on components",
        tuple(series),
        _points_table(known, labels, parts, name),
        diagonal=True,
    )


def _points_table(rows: pd.DataFrame, labels: list[str], parts: list[str], name: str) -> Table:
    columns = (Column("row"), *(Column(title, "number") for title in ("original", *parts)))
    made = []
    for label, record in zip(labels, rows.to_dict("records"), strict=True):
        scores = [_plain(record[title]) for title in ("original", *parts)]
        made.append(Row((text_cell(label), *scores)))
    return Table(f"data-{name}", "The points of the chart", columns, tuple(made))


def _plain(value: object) -> Cell:
    cell = score_cell(value)
    return Cell(cell.text, cell.order)


def _label(record: dict[object, object]) -> str:
    names = [str(record["model"]), str(record["heuristics"])]
    if record["defence"] != "none":
        names.append(str(record["defence"]))
    if record["trained_on"] != "original":
        names.append(f"trained on {record['trained_on']}")
    return ", ".join([*names, f"seed {record['seed']}"])

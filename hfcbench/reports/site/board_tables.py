"""A leaderboard as tables: one for each set of rows that compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.references import split_combination
from hfcbench.reports.site.addresses import anchor, from_page
from hfcbench.reports.site.elements import Cell, Column, Row, Table
from hfcbench.reports.site.gaps import low_frequencies
from hfcbench.reports.site.reading import Board
from hfcbench.reports.site.wording import (
    count_text,
    decimals,
    finite,
    interval_text,
    label_parts,
    score_cell,
    text_cell,
)

if TYPE_CHECKING:
    import pandas as pd

    Record = Mapping[Any, Any]

_SECTION = ["split", "procedure", "n"]
_MAYBE = ("trained_on", "seed", "epochs")
_WORST = "robust"


@dataclass(frozen=True)
class Headings:
    """Which columns of scores a leaderboard's frame has.

    Attributes:
        parts: components, the low frequencies first.
        attacks: on originals.
    """

    parts: tuple[str, ...]
    attacks: tuple[str, ...]


def headings(board: Board) -> Headings:
    """The columns of a leaderboard, in its order."""
    conditions = board.leaderboard.conditions.items()
    return Headings(
        tuple(name for name, item in conditions if item.cut and not item.is_attacked),
        tuple(name for name, item in conditions if item.is_attacked and not item.cut),
    )


def sections(board: Board) -> Iterator[tuple[Mapping[str, Any], pd.DataFrame]]:
    """The rows that rank against each other, with what they share."""
    for key, rows in board.frame.groupby(_SECTION, sort=False, dropna=False):
        yield dict(zip(_SECTION, key, strict=True)), rows


def board_tables(
    board: Board, page: str, pages: Mapping[str, str], identity: str | None = None
) -> list[Table]:
    """One table for each set of rows that compare.

    Args:
        page: where they stand.
        pages: of the trainings.
        identity: only the rows of this training; ranks stay as they are.
    """
    tables = [
        _table(board, shared, rows, page, pages, identity) for shared, rows in sections(board)
    ]
    return [table for table in tables if table.rows]


def section_name(board: Board, shared: Mapping[str, Any]) -> str:
    """``split test, 300 images, scale quick``."""
    what = "picture" if board.dataset.description.task == "detection" else "image"
    count = count_text(int(shared["n"]), what)
    return f"split {shared['split']}, {count}, scale {board.scale}"


def _table(
    board: Board,
    shared: Mapping[str, Any],
    rows: pd.DataFrame,
    page: str,
    pages: Mapping[str, str],
    identity: str | None,
) -> Table:
    same_rank = rows["rank"].value_counts()
    if identity is not None:
        rows = rows[rows["training"] == identity]
    known = [name for name in rows.columns if rows[name].notna().any()]
    found = headings(board)
    present = Headings(
        tuple(name for name in found.parts if name in known),
        tuple(name for name in found.attacks if name in known),
    )
    low = low_frequencies(board.leaderboard)
    columns = _columns(present, rows, board.metric, low if "gap" in known else None)
    made = []
    for record in rows.to_dict("records"):
        target = from_page(page, pages[str(record["training"])])
        cells = [make(record) for _, make in columns]
        cells[0] = _rank_cell(record, same_rank)
        cells[1] = _model_cell(record, rows, target)
        made.append(Row(tuple(cells), _facts(record)))
    name = section_name(board, shared)
    return Table(
        anchor("\0".join((board.dataset.name, board.dataset.fingerprint, name, str(shared)))),
        f"{board.dataset.name}: {name}",
        tuple(column for column, _ in columns),
        tuple(made),
        name,
        {"dataset": board.dataset.name},
    )


Make = Callable[[Any], Cell]


def _columns(
    found: Headings, rows: pd.DataFrame, metric: str, low: str | None
) -> list[tuple[Column, Make]]:
    """Columns, each with what makes its cell of a row."""
    score = "accuracy" if metric == "top1" else metric
    columns: list[tuple[Column, Make]] = [
        (
            Column(
                "rank",
                "number",
                hint="rows with equal scores share a rank; below, between which "
                "ranks the row lies with 95% confidence",
                ordered=True,
            ),
            _nothing,
        ),
        (Column("model"), _nothing),
        (Column("heuristics", context=True), _name("heuristics")),
        (Column("defence", context=True), _name("defence")),
    ]
    columns += [
        (Column(_said(name), context=True), _name(name))
        for name in _MAYBE
        if rows[name].nunique() > 1
    ]
    if low is not None:
        hint = (
            f"{score} on originals minus {score} on {low}: what is lost with the high frequencies"
        )
        columns.append(
            (
                Column("gap", "score", f"original − {low}", hint, headline=True),
                _gap(_largest_gap(rows)),
            )
        )
    columns.append(
        (Column("original", "score", hint=f"{score} on the images as they are"), _score("original"))
    )
    columns += [(_part_column(name, score), _score(name)) for name in found.parts]
    columns += _attack_columns(found.attacks, score)
    if rows["flags"].astype(bool).any():
        hint = "why a score under attack is in doubt; such scores decide no rank"
        columns.append((Column("flags", hint=hint), _flags))
    return columns


def _attack_columns(attacks: Sequence[str], score: str) -> list[tuple[Column, Make]]:
    columns: list[tuple[Column, Make]] = []
    if len(attacks) > 1:
        hint = f"the worst {score} over all attacks that comparable rows faced"
        columns.append((Column("robust", "score", "worst attack", hint, _WORST), _score(_WORST)))
    for name in attacks:
        title, detail = label_parts(name)
        columns.append(
            (Column(title, "score", detail, f"{score} under {name}", name), _score(name))
        )
    return columns


def _part_column(name: str, score: str) -> Column:
    component, _, cut = name.partition(" ")
    return Column(component, "score", cut.strip("[]"), f"{score} on {name} of every image")


def _nothing(record: Record) -> Cell:
    return Cell("")


def _name(name: str) -> Make:
    def make(record: Record) -> Cell:
        value = record[name]
        if not isinstance(value, str):
            return Cell(f"{value}", float(value))
        title, detail = label_parts(value)
        return text_cell(title, note=detail)

    return make


def _score(name: str) -> Make:
    def make(record: Record) -> Cell:
        return score_cell(record[name], record.get(f"{name}_low"), record.get(f"{name}_high"))

    return make


def _largest_gap(rows: pd.DataFrame) -> float:
    """Of the table's rows, in any direction; bars of gaps are as long as their share of it."""
    gaps = map(finite, rows["gap"])
    return max((abs(gap) for gap in gaps if gap is not None), default=0.0) or 1.0


def _gap(largest: float) -> Make:
    def make(record: Record) -> Cell:
        gap = finite(record["gap"])
        note = interval_text(finite(record["gap_low"]), finite(record["gap_high"]))
        share = None if gap is None else min(abs(gap) / largest, 1.0)
        tone = "" if gap is None or gap >= 0 else "below"
        return Cell(decimals(gap), gap, note, share=share, tone=tone)

    return make


def _flags(record: Record) -> Cell:
    text = str(record["flags"])
    return Cell(text, text or None, tone="doubt" if text else "")


def _rank_cell(record: Record, same_rank: pd.Series[int]) -> Cell:
    rank = finite(record["rank"])
    if rank is None:
        return Cell("–", None)
    ties = int(same_rank[record["rank"]])
    low, high = finite(record.get("rank_low")), finite(record.get("rank_high"))
    between = "" if low is None or high is None or low == high else f"{low:.0f}–{high:.0f}"
    return Cell(f"{rank:.0f}{'=' if ties > 1 else ''}", rank, between)


def _model_cell(record: Record, rows: pd.DataFrame, target: str) -> Cell:
    title, detail = label_parts(str(record["model"]))
    context = [str(record["heuristics"])]
    if record["defence"] != "none":
        context.append(str(record["defence"]))
    context += [f"{_said(name)} {record[name]}" for name in _MAYBE if rows[name].nunique() > 1]
    return text_cell(title, note=detail, context=", ".join(context), link=target)


def _facts(record: Record) -> dict[str, str]:
    """What filters look at."""
    return {
        "model": str(record["model"]),
        "heuristic": "\n".join(split_combination(str(record["heuristics"]))),
        "defence": str(record["defence"]),
    }


def _said(name: str) -> str:
    return name.replace("_", " ")

"""The first page: the leaderboards of all datasets, and what they say at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.reliability_checks import ADVICE
from hfcbench.reports.site.addresses import INDEX, anchor, dataset_page, from_page
from hfcbench.reports.site.board_charts import original_against_parts
from hfcbench.reports.site.board_tables import board_tables, sections
from hfcbench.reports.site.elements import Chart, Fact, Table
from hfcbench.reports.site.reading import Board, Overview
from hfcbench.reports.site.wording import count_text, decimals, finite

if TYPE_CHECKING:
    from hfcbench.results.records import DatasetRecord


@dataclass(frozen=True)
class Ranking:
    """Rows that compare: their table, and original against components as a chart."""

    table: Table
    chart: Chart | None


@dataclass(frozen=True)
class DatasetBoards:
    """The rankings on one dataset."""

    title: str
    place: str
    link: str
    facts: tuple[Fact, ...]
    rankings: tuple[Ranking, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A filter with the values that readers choose from."""

    name: str
    title: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class IndexPage:
    """What the first page shows."""

    facts: tuple[Fact, ...]
    datasets: tuple[DatasetBoards, ...]
    choices: tuple[Choice, ...]

    @property
    def has_charts(self) -> bool:
        """Whether the page needs what draws them."""
        return any(ranking.chart for one in self.datasets for ranking in one.rankings)


def index_page(overview: Overview, pages: Mapping[str, str]) -> IndexPage:
    """The first page.

    Args:
        pages: of the trainings.
    """
    boards = tuple(
        dataset_boards(overview, record, INDEX, pages)
        for record in overview.datasets
        if overview.boards_of(record)
    )
    tables = [ranking.table for one in boards for ranking in one.rankings]
    return IndexPage(_summary(overview, pages), boards, _choices(tables))


def dataset_boards(
    overview: Overview, record: DatasetRecord, page: str, pages: Mapping[str, str]
) -> DatasetBoards:
    """The rankings on one dataset, as they stand on a page."""
    boards = overview.boards_of(record)
    rankings = [
        Ranking(table, original_against_parts(board, rows, table.name))
        for board in boards
        for (_, rows), table in zip(sections(board), board_tables(board, page, pages), strict=True)
    ]
    return DatasetBoards(
        record.name,
        anchor(record.name + record.fingerprint),
        from_page(page, dataset_page(record)),
        _about(record),
        tuple(rankings),
        tuple(dict.fromkeys(note for board in boards for note in board_notes(board))),
    )


def board_notes(board: Board) -> list[str]:
    """How images were cut, what flags mean, and what is not shown."""
    conditions = board.leaderboard.conditions.values()
    cuts = dict.fromkeys(item.cut for item in conditions if item.cut is not None)
    notes = [
        f"Components are cut by {name} (version {version}), rescaling {rescaling}."
        for name, version, rescaling in cuts
    ]
    notes += [f"Flag {name}: {ADVICE[name]}." for name in board.leaderboard.flags if name in ADVICE]
    notes += [
        f"Left out: {item}."
        for item in board.leaderboard.left_out
        if "rankings that do not compare" not in item.what
    ]
    return notes


def _summary(overview: Overview, pages: Mapping[str, str]) -> tuple[Fact, ...]:
    """Sizes, and the largest gap of an undefended model."""
    trainings = overview.trainings
    facts = [
        Fact("trainings", f"{len(trainings):,}"),
        Fact("models", f"{trainings['model'].nunique():,}"),
        Fact("datasets", f"{len(overview.datasets):,}"),
    ]
    largest: tuple[float, str, str] | None = None
    for board in overview.boards:
        for row in board.frame.to_dict("records"):
            gap = finite(row["gap"]) if row["defence"] == "none" else None
            if gap is not None and (largest is None or gap > largest[0]):
                name = f"{row['model']}, {row['heuristics']} on {row['dataset']}"
                largest = (gap, name, pages[str(row["training"])])
    if largest is not None:
        facts.insert(0, Fact(f"largest gap: {largest[1]}", decimals(largest[0]), largest[2]))
    return tuple(facts)


def _about(record: DatasetRecord) -> tuple[Fact, ...]:
    shape = record.description.shape
    sizes = sorted(record.description.sizes.items())
    return (
        Fact("images", ", ".join(f"{size:,} {split}" for split, size in sizes)),
        Fact("size", f"{shape.channels} × {shape.height} × {shape.width}"),
        Fact("classes", count_text(len(record.description.classes), "class", "classes")),
        Fact("content", record.fingerprint[:12], code=True),
    )


def _choices(tables: Sequence[Table]) -> tuple[Choice, ...]:
    found: dict[str, set[str]] = {"dataset": set()}
    attacks: dict[str, None] = {}
    for table in tables:
        found["dataset"].add(table.facts["dataset"])
        for row in table.rows:
            for name, text in row.facts.items():
                found.setdefault(name, set()).update(text.split("\n"))
        attacks |= dict.fromkeys(column.attack for column in table.columns if column.attack)
    choices = [
        Choice(name, name, tuple(sorted(values)))
        for name, values in found.items()
        if len(values) > 1
    ]
    if len(attacks) > 1:
        choices.append(Choice("attack", "attack", tuple(attacks)))
    return tuple(choices)

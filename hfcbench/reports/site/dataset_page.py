"""Pages on datasets: one for each, and a list of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.reports.site.addresses import DATASETS, dataset_page, from_page
from hfcbench.reports.site.elements import Cell, Column, Fact, Row, Table
from hfcbench.reports.site.index_page import DatasetBoards, dataset_boards
from hfcbench.reports.site.reading import Overview
from hfcbench.reports.site.wording import label_parts, number_cell, text_cell

if TYPE_CHECKING:
    from hfcbench.results.records import DatasetRecord

_TASKS = {
    "classification": "which class an image is of",
    "detection": "where objects are, and what",
}


@dataclass(frozen=True)
class DatasetPage:
    """What the page of a dataset shows."""

    title: str
    facts: tuple[Fact, ...]
    classes: tuple[str, ...]
    boards: DatasetBoards
    trainings: Table

    @property
    def has_charts(self) -> bool:
        """Whether the page needs what draws them."""
        return any(ranking.chart for ranking in self.boards.rankings)


@dataclass(frozen=True)
class DatasetList:
    """All datasets."""

    table: Table
    has_charts: bool = False


def page_of_dataset(
    overview: Overview, record: DatasetRecord, pages: Mapping[str, str]
) -> DatasetPage:
    """The page of one dataset.

    Args:
        pages: of the trainings.
    """
    page = dataset_page(record)
    return DatasetPage(
        record.name,
        _facts(record),
        tuple(record.description.classes),
        dataset_boards(overview, record, page, pages),
        _trainings(overview, record, page, pages),
    )


def dataset_list(overview: Overview) -> DatasetList:
    """A row per dataset."""
    columns = (
        Column("dataset"),
        Column("task"),
        Column("classes", "number"),
        Column("images", "number"),
        Column("size"),
        Column("trainings", "number"),
        Column("content", "code", hint="the beginning of the fingerprint of its decoded content"),
    )
    rows = []
    for record in overview.datasets:
        description = record.description
        images = sum(description.sizes.values())
        count = len(overview.trainings_of(record))
        cells = (
            text_cell(record.name, link=from_page(DATASETS, dataset_page(record))),
            text_cell(description.task),
            _count(len(description.classes)),
            _count(images),
            Cell(_size(record), float(description.shape.height * description.shape.width)),
            _count(count),
            text_cell(record.fingerprint[:12]),
        )
        rows.append(Row(cells))
    return DatasetList(Table("datasets", "Datasets", columns, tuple(rows)))


def _facts(record: DatasetRecord) -> tuple[Fact, ...]:
    description = record.description
    sizes = sorted(description.sizes.items())
    facts = [
        Fact("task", f"{description.task}: {_TASKS.get(description.task, '')}".rstrip(": ")),
        Fact("images", ", ".join(f"{size:,} {split}" for split, size in sizes)),
        Fact("size", _size(record)),
        Fact("source", description.source),
        Fact("version", record.version),
        Fact("fingerprint", record.fingerprint, code=True),
    ]
    if record.parameters:
        text = json.dumps(dict(record.parameters), sort_keys=True, ensure_ascii=False)
        facts.append(Fact("parameters", text, code=True))
    return tuple(fact for fact in facts if fact.text)


def _size(record: DatasetRecord) -> str:
    shape = record.description.shape
    channels = {1: "grey", 3: "colour"}.get(shape.channels, f"{shape.channels} channels")
    return f"{shape.height} × {shape.width}, {channels}"


def _trainings(
    overview: Overview, record: DatasetRecord, page: str, pages: Mapping[str, str]
) -> Table:
    columns = (
        Column("model"),
        Column("heuristics"),
        Column("trained on"),
        Column("seed", "number"),
        Column("epochs", "number"),
        Column("parameters", "number"),
        Column("scale"),
        Column("identity", "code"),
    )
    rows = []
    for row in overview.trainings_of(record).to_dict("records"):
        title, detail = label_parts(str(row["model"]))
        cells = (
            text_cell(title, note=detail, link=from_page(page, pages[str(row["training"])])),
            text_cell(row["heuristics"]),
            text_cell(row["trained_on"]),
            _count(int(row["seed"])),
            _count(int(row["epochs"])),
            _count(int(row["parameter_count"])),
            text_cell(row["scale"]),
            text_cell(str(row["training"])[:12]),
        )
        rows.append(Row(cells))
    return Table("trainings", f"Trainings on {record.name}", columns, tuple(rows))


def _count(value: int) -> Cell:
    return number_cell(float(value), f"{value:,}")

"""The page on detectors: what they find in pictures and in their frequencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.errors import UsageError
from hfcbench.references import short_labels
from hfcbench.reports.site.addresses import DETECTION, from_page
from hfcbench.reports.site.detection_charts import by_component, by_cutoff
from hfcbench.reports.site.detection_pictures import DetectionPictures
from hfcbench.reports.site.elements import Cell, Chart, Column, Row, Table
from hfcbench.reports.site.evaluation_tables import class_table
from hfcbench.reports.site.index_page import DatasetBoards, dataset_boards
from hfcbench.reports.site.reading import Overview
from hfcbench.reports.site.wording import (
    decimals,
    finite,
    number_cell,
    score_cell,
    text_cell,
)
from hfcbench.results.queries.naming import HEADLINES

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.records import DatasetRecord
    from hfcbench.results.store import Store

METRIC = HEADLINES["detection"]
_METRICS = (METRIC, "ap50", "ap75", "map-small", "map-medium", "map-large")


@dataclass(frozen=True)
class DetectionResults:
    """What is known of the detectors on one dataset, undefended and without attack.

    Attributes:
        scores: of all metrics, a row each, with a column ``detector``.
        classes: the headline metric by class, with the same column.
        gains: in how many pictures detectors score better on a component; None where scores of
            single pictures are not kept.
    """

    dataset: DatasetRecord
    scores: pd.DataFrame
    classes: pd.DataFrame
    gains: pd.DataFrame | None


@dataclass(frozen=True)
class ClassScores:
    """The classes of one detector."""

    detector: str
    link: str
    table: Table


@dataclass(frozen=True)
class DetectionSection:
    """The detectors on one dataset."""

    boards: DatasetBoards
    charts: tuple[Chart, ...]
    metrics: Table
    gains: Table | None
    classes: tuple[ClassScores, ...]
    pictures: DetectionPictures | None


@dataclass(frozen=True)
class DetectionPage:
    """What the page shows, by dataset."""

    sections: tuple[DetectionSection, ...]

    @property
    def has_charts(self) -> bool:
        """Whether the page needs what draws them."""
        return any(section.charts for section in self.sections)


def read_detection(store: Store, overview: Overview) -> list[DetectionResults]:
    """The results of all detectors, by dataset."""
    return [
        _read(store, overview, record)
        for record in overview.datasets
        if record.description.task == "detection" and len(overview.trainings_of(record))
    ]


def detection_page(
    results: Sequence[DetectionResults],
    overview: Overview,
    pages: Mapping[str, str],
    pictures: Sequence[DetectionPictures | None],
) -> DetectionPage:
    """The page.

    Args:
        pages: of the trainings.
        pictures: of each of the results; None leaves them out.
    """
    return DetectionPage(
        tuple(
            _section(place, one, overview, pages, shown)
            for place, (one, shown) in enumerate(zip(results, pictures, strict=True))
        )
    )


def _read(store: Store, overview: Overview, record: DatasetRecord) -> DetectionResults:
    trainings = overview.trainings_of(record)
    names = _detectors(trainings)
    asked: dict[str, Any] = {"trainings": list(names), "defence": "none", "attack": "none"}
    scores = store.evaluations(**asked, limit=None)
    classes = store.class_scores(**asked)
    classes = classes[classes["metric"] == METRIC]
    try:
        gains = store.picture_gains(
            metric=METRIC, trainings=list(names), defence="none", largest=0
        ).frame
    except UsageError:
        # Scores of single pictures are kept where the metric says so; not all databases have them.
        gains = None
    named = [
        frame.assign(detector=frame["training"].map(names))
        for frame in (scores, classes, *(() if gains is None else (gains,)))
    ]
    return DetectionResults(record, named[0], named[1], named[2] if len(named) > 2 else None)


def _detectors(trainings: pd.DataFrame) -> dict[str, str]:
    """A name for each training: with what tells it from the others."""
    varying = [
        name
        for name in ("heuristics", "trained_on", "scale", "seed", "epochs")
        if trainings[name].nunique() > 1
    ]
    models = [str(label) for label in dict.fromkeys(trainings["model"])]
    shown = short_labels("model", models)
    return {
        str(row["training"]): ", ".join(
            [shown[str(row["model"])], *(_told(name, row[name]) for name in varying)]
        )
        for row in trainings.to_dict("records")
    }


def _told(name: str, value: Any) -> str:
    return str(value) if name == "heuristics" else f"{name.replace('_', ' ')} {value}"


def _section(
    place: int,
    results: DetectionResults,
    overview: Overview,
    pages: Mapping[str, str],
    pictures: DetectionPictures | None,
) -> DetectionSection:
    headline = results.scores[results.scores["metric"] == METRIC]
    charts = [by_component(headline, place), by_cutoff(headline, place)]
    return DetectionSection(
        dataset_boards(overview, results.dataset, DETECTION, pages),
        tuple(chart for chart in charts if chart is not None),
        _metrics(results.scores, place),
        _gains(results.gains, place),
        tuple(_classes(results.classes, place, pages)),
        pictures,
    )


def _metrics(scores: pd.DataFrame, place: int) -> Table:
    """A row per detector and component, a column per metric."""
    metrics = sorted(set(scores["metric"]), key=_metric_order)
    columns = (
        Column("detector"),
        Column("component"),
        Column("pictures", "number"),
        *(Column(name, "score") for name in metrics),
    )
    rows = []
    keys = ["detector", "component", "decomposition", "rescaling", "n"]
    grouped: Any = scores.groupby(keys, sort=False, dropna=False)
    for (detector, component, decomposition, rescaling, n), of_one in grouped:
        found = {record["metric"]: record for record in of_one.to_dict("records")}
        cut = f"{decomposition}, {rescaling}" if isinstance(decomposition, str) else ""
        cells = [text_cell(detector), text_cell(component, note=cut), _count(n)]
        for name in metrics:
            record = found.get(name, {})
            cells.append(score_cell(record.get("value"), record.get("low"), record.get("high")))
        rows.append(Row(tuple(cells)))
    return Table(f"metrics-{place}", "All metrics of detectors", columns, tuple(rows))


def _metric_order(name: str) -> tuple[int, str]:
    """As COCO lists them; others behind."""
    return (_METRICS.index(name) if name in _METRICS else len(_METRICS), name)


def _gains(gains: pd.DataFrame | None, place: int) -> Table | None:
    if gains is None or gains.empty:
        return None
    columns = (
        Column("detector"),
        Column("component"),
        Column("pictures", "number", "with a score"),
        Column("gain", "number", "score better"),
        Column("drop", "number", "score worse"),
        Column("equal", "number"),
        Column("mean difference", "number", "component − original"),
    )
    rows = []
    for record in gains.to_dict("records"):
        difference = finite(record["difference"])
        counts = [_count(record[name]) for name in ("pictures", "gains", "drops", "equal")]
        rows.append(
            Row(
                (
                    text_cell(record["detector"]),
                    text_cell(record["component"]),
                    *counts,
                    Cell(decimals(difference, signed=True), difference),
                )
            )
        )
    caption = "In how many pictures detectors score better without some frequencies"
    return Table(f"gains-{place}", caption, columns, tuple(rows))


def _classes(rows: pd.DataFrame, place: int, pages: Mapping[str, str]) -> list[ClassScores]:
    found = []
    for number, (identity, of_one) in enumerate(rows.groupby("training", sort=False)):
        detector = str(of_one["detector"].iloc[0])
        name = f"classes-{place}-{number}"
        table = class_table(of_one, name, f"{detector}: scores by class")
        found.append(ClassScores(detector, from_page(DETECTION, pages[str(identity)]), table))
    return found


def _count(value: Any) -> Cell:
    return number_cell(float(value), f"{int(value):,}")

"""The page of one training: everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.reliability_checks import ADVICE
from hfcbench.reports.site.addresses import dataset_page, from_page
from hfcbench.reports.site.board_tables import board_tables, headings
from hfcbench.reports.site.elements import Chart, Fact, Picture, Table
from hfcbench.reports.site.evaluation_tables import (
    class_table,
    evaluation_table,
    quantity_table,
)
from hfcbench.reports.site.gaps import low_frequencies
from hfcbench.reports.site.provenance_facts import (
    identity_facts,
    run_facts,
    specification_text,
    training_facts,
)
from hfcbench.reports.site.reading import Board, Overview, TrainingResults
from hfcbench.reports.site.robust_charts import robust_charts
from hfcbench.reports.site.training_charts import (
    class_chart,
    curve_charts,
    sweep_charts,
)
from hfcbench.reports.site.wording import decimals

if TYPE_CHECKING:
    import pandas as pd

_MODE_WORDS = {"training": "training", "evaluation": "evaluations", "analysis": "analyses"}


@dataclass(frozen=True)
class TrainingPage:
    """What the page of a training shows; parts that are empty are left out.

    Attributes:
        kicker: what it was trained on, before the title.
        tiles: its main scores without a defence.
        rankings: its rows on the leaderboard, one per defence.
        flags: why scores under attack are in doubt.
        pictures: kernels and example images; None where none were asked for.
    """

    kicker: str
    kicker_link: str
    title: str
    subtitle: str
    tiles: tuple[Fact, ...]
    rankings: tuple[Table, ...]
    charts: tuple[Chart, ...]
    classes: Table | None
    evaluations: Table
    quantities: Table | None
    flags: tuple[str, ...]
    pictures: tuple[Picture, ...] | None
    identity: tuple[Fact, ...]
    training: tuple[Fact, ...]
    run: tuple[Fact, ...]
    notes: tuple[str, ...]
    specification: str
    commands: tuple[str, ...]

    @property
    def has_charts(self) -> bool:
        """Whether the page needs what draws them."""
        return bool(self.charts)


def training_page(
    results: TrainingResults,
    overview: Overview,
    page: str,
    pages: Mapping[str, str],
    pictures: Sequence[Picture] | None = None,
) -> TrainingPage:
    """The page of one training.

    Args:
        page: its path in the site.
        pages: of all trainings.
        pictures: of this training, with sources relative to its page; None to say nothing of them.
    """
    provenance = results.provenance
    training, metric = provenance.training, provenance.headline
    identity = str(training["identity"])
    record = next(
        record
        for record in overview.datasets
        if (record.name, record.fingerprint)
        == (provenance.dataset["name"], provenance.dataset["fingerprint"])
    )
    boards = overview.boards_of(record)
    of_metric = results.scores[results.scores["metric"] == metric]
    own_classes = _undefended(results.class_scores, metric)
    chart = class_chart(own_classes, metric)
    return TrainingPage(
        kicker=record.name,
        kicker_link=from_page(page, dataset_page(record)),
        title=str(training["model"]),
        subtitle=_subtitle(training),
        tiles=_tiles(boards, identity),
        rankings=tuple(
            table for board in boards for table in board_tables(board, page, pages, identity)
        ),
        charts=(
            *sweep_charts(of_metric, metric),
            *robust_charts(of_metric, metric),
            *curve_charts(results.curves),
            *(() if chart is None else (chart,)),
        ),
        classes=class_table(own_classes) if len(own_classes) else None,
        evaluations=evaluation_table(results.scores),
        quantities=quantity_table(provenance.analyses, results.quantities),
        flags=_flags(results.scores),
        pictures=None if pictures is None else tuple(pictures),
        identity=identity_facts(provenance),
        training=training_facts(provenance),
        run=run_facts(provenance),
        notes=_notes(results),
        specification=specification_text(provenance),
        commands=(f"hfcbench show {identity[:12]}", f"hfcbench verify {identity[:12]}"),
    )


def _subtitle(training: Mapping[str, Any]) -> str:
    parts = [str(training["heuristics"]), f"seed {training['seed']}"]
    if training["trained_on"] != "original":
        parts.insert(1, f"trained on {training['trained_on']}")
    parts.append(f"scale {training['scale']}")
    return ", ".join(parts)


def _tiles(boards: Sequence[Board], identity: str) -> tuple[Fact, ...]:
    """Its scores without a defence, the gap first; of the first leaderboard that it is on."""
    for board in boards:
        frame = board.frame
        mine = frame[(frame["training"] == identity) & (frame["defence"] == "none")]
        if mine.empty:
            continue
        row = mine.to_dict("records")[0]
        found = headings(board)
        low = low_frequencies(board.leaderboard)
        facts = [] if low is None else [Fact(f"gap: original − {low}", decimals(row["gap"]))]
        names = ["original", *found.parts]
        facts += [Fact(name, decimals(row[name])) for name in names]
        if found.attacks:
            facts.append(Fact("robust: worst attack", decimals(row["robust"])))
        return tuple(fact for fact in facts if fact.text)
    return ()


def _undefended(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Scores of classes on originals and components, of the headline metric."""
    chosen = (rows["metric"] == metric) & (rows["defence"] == "none") & (rows["attack"] == "none")
    return rows[chosen]


def _flags(scores: pd.DataFrame) -> tuple[str, ...]:
    """What the flags of its scores under attack say, and what to run."""
    names = {name for text in scores["flags"] for name in text.split(", ") if name}
    return tuple(f"{name}: {ADVICE.get(name, 'see the documentation')}" for name in sorted(names))


def _notes(results: TrainingResults) -> tuple[str, ...]:
    provenance = results.provenance
    notes = [f"On the {_MODE_WORDS[row['kind']]}: {row['note']}" for row in provenance.notes]
    notes += [
        f"Another result of this {row['kind']}: {row['summary']}"
        for row in provenance.disagreements
    ]
    return tuple(dict.fromkeys(notes))

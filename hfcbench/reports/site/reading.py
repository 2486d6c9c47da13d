"""What pages are about, as a results database has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.errors import StoreError, UsageError, nearest
from hfcbench.quantities import Quantity
from hfcbench.reports.site.gaps import with_gaps
from hfcbench.results.queries.naming import HEADLINES
from hfcbench.results.records import DatasetRecord

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.leaderboard import Leaderboard
    from hfcbench.results.queries.provenance import Provenance
    from hfcbench.results.store import Store

_SCALES = ("full", "quick")


@dataclass(frozen=True)
class Board:
    """The leaderboard of one dataset and scale: one cutoff, attacks of one epsilon.

    Attributes:
        frame: with intervals, see :meth:`hfcbench.results.store.Store.leaderboard`, and with gaps,
            see :func:`hfcbench.reports.site.gaps.with_gaps`.
    """

    dataset: DatasetRecord
    scale: str
    leaderboard: Leaderboard
    frame: pd.DataFrame

    @property
    def metric(self) -> str:
        """In all columns of scores."""
        return self.leaderboard.metric


@dataclass(frozen=True)
class Overview:
    """What all pages share.

    Attributes:
        datasets: those in question, in the order in which they were added.
        trainings: all on these, see :meth:`hfcbench.results.store.Store.training_frame`.
        boards: of all datasets and scales that have evaluations.
    """

    datasets: tuple[DatasetRecord, ...]
    trainings: pd.DataFrame
    boards: tuple[Board, ...]

    def boards_of(self, record: DatasetRecord) -> list[Board]:
        """The leaderboards of one dataset."""
        return [board for board in self.boards if board.dataset == record]

    def trainings_of(self, record: DatasetRecord) -> pd.DataFrame:
        """The rows of ``trainings`` on one dataset."""
        frame = self.trainings
        mine = (frame["dataset"] == record.name) & (frame["fingerprint"] == record.fingerprint)
        return frame[mine]


@dataclass(frozen=True)
class TrainingResults:
    """All that is known of one training.

    Attributes:
        scores: of all metrics, a row each, see :meth:`hfcbench.results.store.Store.evaluations`.
        curves: a row per point, see :meth:`hfcbench.results.store.Store.curves`.
        class_scores: of a detector, by class.
        quantities: of its analyses, by their identity.
    """

    provenance: Provenance
    scores: pd.DataFrame
    curves: pd.DataFrame
    class_scores: pd.DataFrame
    quantities: Mapping[str, Sequence[Quantity]]


def read_overview(store: Store, names: Collection[str] = ()) -> Overview:
    """The trainings on these datasets, or on all of them, and their leaderboards.

    Raises:
        UsageError: there is no such dataset.
        StoreError: there are no finished trainings.
    """
    every = _different(store.datasets())
    known = {record.name for record in every}
    for name in names:
        if name not in known:
            raise UsageError(f"the database has no dataset '{name}'; {nearest(name, known)}")
    datasets = tuple(record for record in every if not names or record.name in names)
    trainings = store.training_frame(dataset=[record.name for record in datasets])
    if trainings.empty:
        raise StoreError(
            "there is nothing to report: the database has no finished trainings",
            hint="run a suite first: hfcbench run --suite classification",
        )
    boards = [_board(store, record, scale) for record in datasets for scale in _SCALES]
    return Overview(datasets, trainings, tuple(board for board in boards if len(board.frame)))


def read_training(store: Store, identity: str) -> TrainingResults:
    """Everything about one training, by its whole identity."""
    provenance = store.provenance(identity)
    return TrainingResults(
        provenance,
        store.evaluations(trainings=identity, limit=None),
        store.curves(trainings=identity, limit=None),
        store.class_scores(trainings=identity),
        store.quantities([str(row["identity"]) for row in provenance.analyses]),
    )


def _board(store: Store, record: DatasetRecord, scale: str) -> Board:
    """Of one dataset and scale, so that no other decides which cutoff is shown."""
    found = store.leaderboard(
        metric=HEADLINES[record.description.task],
        columns="main",
        limit=None,
        rank_intervals=True,
        intervals=True,
        dataset=record.name,
        fingerprint=record.fingerprint,
        scale=scale,
    )
    return Board(record, scale, found, with_gaps(store, found))


def _different(records: Sequence[DatasetRecord]) -> list[DatasetRecord]:
    """One record for each name and content: versions that changed nothing are one dataset."""
    newest = {(record.name, record.fingerprint): record for record in records}
    return list(newest.values())

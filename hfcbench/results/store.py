"""The results database as the rest of hfcbench sees it: records in, records and frames out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine

from hfcbench.errors import StoreError
from hfcbench.quantities import Quantity
from hfcbench.results.database.engine import writing
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.queries import sql_query
from hfcbench.results.queries.questions import Questions
from hfcbench.results.records import (
    AnalysisRecord,
    ArtifactRecord,
    CurvePoint,
    DatasetRecord,
    EvaluationRecord,
    FailureRecord,
    NoteRecord,
    RunRecord,
    ScoreRecord,
    TrainingRecord,
)
from hfcbench.results.writing import claims, lookups, writes
from hfcbench.results.writing.analyses import find_analyses, insert_analyses, read_quantities
from hfcbench.results.writing.claims import Holder
from hfcbench.results.writing.evaluations import (
    insert_evaluations,
    locate_evaluation,
    packed_by_identity,
)
from hfcbench.results.writing.lookups import StoredTraining
from hfcbench.results.writing.scores import insert_scores

__all__ = ["Store", "StoredTraining"]


class Store(Questions):
    """An open results database; :func:`hfcbench.results.opening.open_store` makes one.

    Every writing method is one transaction: all of it is stored, or, after a StoreError or a kill,
    none of it. Nothing stored is ever changed; a second result of the same identity is ignored.
    Several processes may write to one database; each waits for the others.
    """

    def __init__(
        self,
        location: DatabaseLocation,
        engine: Engine,
        *,
        read_only: bool,
        busy_timeout_seconds: float,
    ) -> None:
        self._location = location
        self._engine = engine
        self._read_only = read_only
        self._busy_timeout_seconds = busy_timeout_seconds

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def begin_run(self, record: RunRecord) -> int:
        """Note that an invocation starts; its id goes with everything that it finishes."""
        with self._writing() as connection:
            return writes.insert_run(connection, record)

    def finish_run(self, run_id: int, status: str) -> None:
        """Note how an invocation ended, and when: now."""
        with self._writing() as connection:
            writes.end_run(connection, run_id, status)

    def add_dataset(self, record: DatasetRecord) -> None:
        """Add a dataset, unless it is known by name, version and fingerprint."""
        with self._writing() as connection:
            writes.insert_dataset(connection, record)

    def add_training(self, record: TrainingRecord, run_id: int) -> None:
        """Add a finished training with its files and curve; its dataset must be known."""
        with self._writing() as connection:
            writes.insert_training(connection, record, run_id)

    def add_artifacts(self, training_identity: str, artifacts: Sequence[ArtifactRecord]) -> None:
        """Add the files of those kinds that a finished training has none of."""
        with self._writing() as connection:
            ids = writes.training_ids(connection, [training_identity])
            writes.insert_artifacts(connection, ids[training_identity], artifacts)

    def add_curve(self, training_identity: str, points: Sequence[CurvePoint]) -> None:
        """Add the points that a finished training's curves lack."""
        with self._writing() as connection:
            ids = writes.training_ids(connection, [training_identity])
            writes.insert_curve(connection, ids[training_identity], points)

    def add_evaluations(self, records: Sequence[EvaluationRecord], run_id: int) -> None:
        """Add finished evaluations with predictions or detections, and scores.

        Their trainings must be known, and detections be of the classes of their datasets.
        """
        # Compressing takes longer than writing: others must not wait for it.
        packed = packed_by_identity(records)
        with self._writing() as connection:
            insert_evaluations(connection, records, packed, run_id)

    def add_analyses(self, records: Sequence[AnalysisRecord], run_id: int) -> None:
        """Add finished analyses with their quantities; their trainings must be known."""
        with self._writing() as connection:
            insert_analyses(connection, records, run_id)

    def add_scores(self, evaluation_identity: str, scores: Sequence[ScoreRecord]) -> None:
        """Add scores of metrics (by name and version) that a finished evaluation lacks."""
        with self._writing() as connection:
            place = locate_evaluation(connection, evaluation_identity)
            insert_scores(connection, [replace(place, scores=scores)])

    def add_failure(self, record: FailureRecord, run_id: int) -> None:
        """Add a node that failed."""
        with self._writing() as connection:
            writes.insert_failure(connection, record, run_id)

    def add_note(self, record: NoteRecord, run_id: int) -> None:
        """Add what people should know about how something was done."""
        with self._writing() as connection:
            writes.insert_note(connection, record, run_id)

    def claim(self, identity: str, run_id: int, grace_seconds: float) -> Holder | None:
        """Claim a training with its evaluations for this process; None says that it worked."""
        with self._writing() as connection:
            return claims.take_claim(
                connection, identity, claims.this_process(run_id), grace_seconds
            )

    def renew_claims(self, run_id: int) -> int:
        """Give a sign of life for all claims of a run; returns how many it still has."""
        with self._writing() as connection:
            return claims.renew_claims(connection, run_id)

    def release_claims(self, run_id: int, identities: Collection[str] | None = None) -> None:
        """Give up claims of a run; all of them if none are named."""
        with self._writing() as connection:
            claims.release_claims(connection, run_id, identities)

    def drop_abandoned_claims(self, grace_seconds: float) -> None:
        """Give up claims of processes that are gone, or silent for longer than this."""
        with self._writing() as connection:
            claims.drop_abandoned_claims(connection, grace_seconds)

    def trainings(self, identities: Sequence[str]) -> dict[str, StoredTraining]:
        """The finished ones of these trainings, by identity."""
        with self._reading() as connection:
            return lookups.find_trainings(connection, identities)

    def datasets(self) -> list[DatasetRecord]:
        """Every dataset, in the order in which they were added."""
        with self._reading() as connection:
            return lookups.find_datasets(connection)

    def evaluations_done(self, identities: Sequence[str]) -> set[str]:
        """Those of the identities that are finished evaluations."""
        with self._reading() as connection:
            return lookups.find_evaluations(connection, identities)

    def analyses_done(self, identities: Sequence[str]) -> set[str]:
        """Those of the identities that are finished analyses."""
        with self._reading() as connection:
            return find_analyses(connection, identities)

    def quantities(self, identities: Sequence[str]) -> dict[str, tuple[Quantity, ...]]:
        """What finished ones of these analyses found, by identity."""
        with self._reading() as connection:
            return read_quantities(connection, identities)

    def unscored(self, identities: Sequence[str], metric: str, version: str) -> set[str]:
        """Those of the identities that are finished evaluations without a score of this metric."""
        with self._reading() as connection:
            return lookups.find_unscored(connection, identities, metric, version)

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a single reading SQL statement; nothing can be written with it.

        Raises:
            StoreError: the statement does anything but read, or cannot be answered.
        """
        with explained(self._location):
            if self._location.path is None:
                return sql_query.query_postgresql(self._engine, sql)
            return sql_query.query_sqlite(
                self._location.path, sql, busy_timeout_seconds=self._busy_timeout_seconds
            )

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._read_only:
            raise StoreError(f"the database {self._location} was opened for reading only")
        with explained(self._location), writing(self._engine).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(self._location), self._engine.connect() as connection:
            yield connection

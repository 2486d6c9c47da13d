"""Where a number comes from: everything that the database knows of one result."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hfcbench.results.queries.findings import (
    Finding,
    analyses_of,
    evaluations_of,
    finding_of,
)
from hfcbench.results.queries.identities import Kind, find_identity
from hfcbench.results.queries.naming import HEADLINES
from hfcbench.results.queries.single_rows import Row, row_of, run_of
from hfcbench.results.records import CHECKPOINT
from hfcbench.results.schema import Artifact, Dataset, Disagreement, Note, Training


@dataclass(frozen=True)
class Provenance:
    """All rows that belong to a training, or to an evaluation or analysis of it, by column name.

    Attributes:
        artifacts: kind, path, sha256 and size of the training's files, the checkpoint first.
        finding: the evaluation or the analysis; None for a training.
        evaluations: of a training, with identity, condition, and the score that ranks models if
            there is one: ``top1``, or ``map`` of a detector.
        analyses: of a training, with identity, condition and the names of their quantities.
        disagreements: second results of the same identity, from merged databases.
        notes: what people should know about how it was done, in the runs that computed it: of the
            training, and of all its evaluations or all its analyses where it is one of them.
    """

    kind: Kind
    identity: str
    training: Row
    dataset: Row
    artifacts: tuple[Row, ...]
    training_run: Row
    finding: Finding | None
    evaluations: tuple[Row, ...]
    analyses: tuple[Row, ...]
    disagreements: tuple[Row, ...]
    notes: tuple[Row, ...]

    @property
    def headline(self) -> str:
        """The metric that ranks models on the training's dataset."""
        return HEADLINES[self.dataset["task"]]

    @property
    def holds_detections(self) -> bool:
        """Whether this is an evaluation of a detector."""
        return self.kind == "evaluation" and self.dataset["task"] == "detection"

    @property
    def checkpoint(self) -> Row | None:
        """The artifact that is the trained model."""
        return next((row for row in self.artifacts if row["kind"] == CHECKPOINT), None)


def provenance_of(connection: Connection, beginning: str) -> Provenance:
    """Everything about the training, evaluation or analysis whose identity begins so.

    Raises:
        UsageError: there is none, or several.
        StoreError: what is stored of it is damaged.
    """
    found = find_identity(connection, beginning)
    finding = finding_of(connection, found)
    training_id = found.key if finding is None else finding.row["training_id"]
    training = row_of(connection, Training, training_id)
    artifacts = connection.execute(
        select(Artifact.kind, Artifact.path, Artifact.sha256, Artifact.size_bytes)
        .where(Artifact.training_id == training_id)
        .order_by(Artifact.kind, Artifact.artifact_id)
    )
    second = connection.execute(
        select(Disagreement.kind, Disagreement.summary, Disagreement.found_at).where(
            Disagreement.identity.in_([found.identity, training["identity"]])
        )
    )
    dataset = row_of(connection, Dataset, training["dataset_id"])
    headline = HEADLINES[dataset["task"]]
    return Provenance(
        found.kind,
        found.identity,
        training,
        dataset,
        tuple(dict(row._mapping) for row in artifacts),
        run_of(connection, training["run_id"]),
        finding,
        evaluations_of(connection, training_id, headline) if finding is None else (),
        analyses_of(connection, training_id) if finding is None else (),
        tuple(dict(row._mapping) for row in second),
        _notes_on(connection, found.kind, training, finding),
    )


def _notes_on(
    connection: Connection, kind: Kind, training: Row, finding: Finding | None
) -> tuple[Row, ...]:
    done = (Note.kind == "training") & (Note.run_id == training["run_id"])
    if finding is not None:
        done |= (Note.kind == kind) & (Note.run_id == finding.row["run_id"])
    rows = connection.execute(
        select(Note.kind, Note.note, Note.noted_at)
        .where(Note.training_identity == training["identity"], done)
        .order_by(Note.note_id)
    )
    return tuple(dict(row._mapping) for row in rows)

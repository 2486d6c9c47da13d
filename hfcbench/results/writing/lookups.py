"""What the runner asks before it computes anything: what is done already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, select

from hfcbench.results.records import CHECKPOINT, TRAINING_LABELS, ArtifactRecord, DatasetRecord
from hfcbench.results.schema import Artifact, Curve, Dataset, Evaluation, Metric, Score, Training
from hfcbench.results.writing.rows import rows_among
from hfcbench.results.writing.writes import check_artifact_path
from hfcbench.types import DatasetDescription, ImageShape

CurveKey: TypeAlias = tuple[str, str, str | None, str | None, int]
"""Split, component, decomposition, rescaling and number of images of a curve."""


@dataclass(frozen=True)
class StoredTraining:
    """A finished training: its files, and which curves were measured.

    Attributes:
        labels: None where the model was trained on the dataset's own labels.
    """

    checkpoint: ArtifactRecord
    curve_keys: frozenset[CurveKey]
    labels: ArtifactRecord | None = None


def find_trainings(connection: Connection, identities: Sequence[str]) -> dict[str, StoredTraining]:
    """The finished ones of these trainings, by identity."""
    curves: defaultdict[str, set[CurveKey]] = defaultdict(set)
    statement = select(
        Training.identity,
        Curve.split,
        Curve.component,
        Curve.decomposition,
        Curve.rescaling,
        Curve.n,
    ).join_from(Curve, Training)
    for row in rows_among(connection, statement, Training.identity, identities):
        split, component, decomposition, rescaling, n = row[1:]
        curves[row[0]].add((split, component, decomposition, rescaling, n))
    files: defaultdict[str, dict[str, ArtifactRecord]] = defaultdict(dict)
    artifacts = select(
        Training.identity, Artifact.kind, Artifact.path, Artifact.sha256, Artifact.size_bytes
    ).join_from(Artifact, Training)
    for row in rows_among(connection, artifacts, Training.identity, identities):
        record = ArtifactRecord(*row[1:])
        # The file may be anybody's; its paths are opened below the artifacts folder.
        check_artifact_path(record.path)
        files[row[0]][record.kind] = record
    return {
        identity: StoredTraining(
            held[CHECKPOINT], frozenset(curves[identity]), held.get(TRAINING_LABELS)
        )
        for identity, held in files.items()
        if CHECKPOINT in held
    }


def find_datasets(connection: Connection) -> list[DatasetRecord]:
    """Every dataset, in the order in which they were added."""
    return [
        DatasetRecord(
            row.name,
            row.version,
            row.parameters,
            row.fingerprint,
            DatasetDescription(
                tuple(row.classes),
                ImageShape(row.channels, row.height, row.width),
                row.sizes,
                row.source,
                row.task,
            ),
        )
        for row in connection.execute(
            select(*Dataset.__table__.columns).order_by(Dataset.dataset_id)
        )
    ]


def find_evaluations(connection: Connection, identities: Sequence[str]) -> set[str]:
    """Those of the identities that are finished evaluations."""
    statement = select(Evaluation.identity)
    rows = rows_among(connection, statement, Evaluation.identity, identities)
    return {row[0] for row in rows}


def find_unscored(
    connection: Connection, identities: Sequence[str], metric: str, version: str
) -> set[str]:
    """Those of the identities that are finished evaluations without a score of this metric."""
    score = (
        select(Score.metric_id)
        .join_from(Score, Metric)
        .where(
            Score.evaluation_id == Evaluation.evaluation_id,
            Metric.name == metric,
            Metric.version == version,
        )
    )
    statement = select(Evaluation.identity).where(~score.exists())
    rows = rows_among(connection, statement, Evaluation.identity, identities)
    return {row[0] for row in rows}

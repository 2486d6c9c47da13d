"""Whether a database holds together: every identity, reference, score and file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Text, inspect, select, text, type_coerce
from sqlalchemy.exc import DBAPIError

from hfcbench.errors import StoreError
from hfcbench.results.column_types import digest_of
from hfcbench.results.records import CHECKPOINT
from hfcbench.results.schema import (
    Analysis,
    Artifact,
    Condition,
    Dataset,
    Detection,
    Evaluation,
    LabelSet,
    Metric,
    Prediction,
    Score,
    Training,
)
from hfcbench.results.transfer.detection_checks import (
    detailed_score_problems,
    detection_problems,
)
from hfcbench.results.transfer.flags import reliability_problems
from hfcbench.results.transfer.problems import Problem, chunks
from hfcbench.results.writing.analyses import read_quantities
from hfcbench.results.writing.stored_predictions import read_predictions
from hfcbench.results.writing.writes import check_artifact_path, configuration_of

_TOP1_TOLERANCE = 1e-12
_OTHER_IDENTITY = "its identity is not the hash of its specification"


def check(connection: Connection, artifacts: Path | None) -> Iterator[Problem]:
    """Everything that is wrong with a database, a problem at a time.

    Args:
        connection: for reading.
        artifacts: the folder of checkpoints and what lies beside them, whose files are then hashed;
            None leaves them alone.
    """
    steps: tuple[Callable[[Connection], Iterator[Problem]], ...] = (
        _file_problems,
        _training_problems,
        _condition_problems,
        partial(_specification_problems, table=Evaluation, kind="evaluation"),
        partial(_specification_problems, table=Analysis, kind="analysis"),
        _quantity_problems,
        _score_problems,
        reliability_problems,
        _prediction_problems,
        detection_problems,
        detailed_score_problems,
        _checkpoint_problems,
        partial(_artifact_problems, artifacts=artifacts),
    )
    for step in steps:
        try:
            yield from step(connection)
        except DBAPIError as error:
            # Pages of a damaged file; other tables may still be whole.
            yield Problem("file", f"it cannot be read on: {error.orig}")


def _file_problems(connection: Connection) -> Iterator[Problem]:
    if connection.dialect.name != "sqlite":
        return
    for (message,) in connection.execute(text("PRAGMA integrity_check")):
        if message != "ok":
            yield Problem("file", str(message))
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield Problem(f"{table} row {row}", f"points to a row of {parent} that is not there")


def _training_problems(connection: Connection) -> Iterator[Problem]:
    statement = select(
        Training.training_id,
        Training.identity,
        type_coerce(Training.specification, Text),
        Training.configuration,
        Dataset.fingerprint,
    ).join(Dataset)
    for key, identity, specification, configuration, fingerprint in chunks(
        connection, statement, Training.training_id
    ):
        where = f"training {identity[:12]} (row {key})"
        document = _document(specification)
        if document is None or _sha256(specification) != identity:
            yield Problem(where, _OTHER_IDENTITY)
            continue
        if configuration_of(document) != configuration:
            yield Problem(where, "its configuration is not the hash of its specification")
        dataset = document.get("dataset")
        stated = dataset.get("fingerprint") if isinstance(dataset, Mapping) else None
        if stated != fingerprint:
            yield Problem(where, "its specification names another dataset than its row")


def _specification_problems(
    connection: Connection, table: type[Evaluation] | type[Analysis], kind: str
) -> Iterator[Problem]:
    mapper: Any = inspect(table)
    (number,) = mapper.primary_key
    statement = select(
        number, table.identity, type_coerce(table.specification, Text), Training.identity
    ).join(Training, Training.training_id == table.training_id)
    for key, identity, specification, training in chunks(connection, statement, number):
        where = f"{kind} {identity[:12]} (row {key})"
        document = _document(specification)
        if document is None or _sha256(specification) != identity:
            yield Problem(where, _OTHER_IDENTITY)
        elif document.get("training") != training:
            yield Problem(where, "its specification names another training than its row")


def _quantity_problems(connection: Connection) -> Iterator[Problem]:
    statement = select(Analysis.analysis_id, Analysis.identity)
    for key, identity in chunks(connection, statement, Analysis.analysis_id):
        try:
            read_quantities(connection, [identity])
        except StoreError as error:
            yield Problem(f"analysis {identity[:12]} (row {key})", error.what)


def _document(specification: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(specification)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _sha256(specification: str) -> str:
    # Of the text as it lies there: one that says the same in other words was changed too.
    return hashlib.sha256(specification.encode()).hexdigest()


def _condition_problems(connection: Connection) -> Iterator[Problem]:
    columns_of = Condition.__table__.columns
    names = [column.name for column in columns_of if column.name != "condition_id"]
    columns = [getattr(Condition, name) for name in names]
    for row in connection.execute(select(*columns)):
        values = dict(zip(names, row, strict=True))
        digest = values.pop("digest")
        if digest_of(values) != digest:
            yield Problem(f"condition {digest[:12]}", "its digest is not that of its columns")


def _score_problems(connection: Connection) -> Iterator[Problem]:
    statement = (
        select(Evaluation.identity, Metric.name)
        .join_from(Score, Evaluation, Evaluation.evaluation_id == Score.evaluation_id)
        .join(Metric, Metric.metric_id == Score.metric_id)
        .where(
            (Score.training_id != Evaluation.training_id)
            | (Score.condition_id != Evaluation.condition_id)
            | (Score.n != Evaluation.n)
        )
    )
    for identity, metric in connection.execute(statement):
        yield Problem(
            f"score {metric} of evaluation {identity[:12]}",
            "it names another training or condition than its evaluation, or number of images",
        )


def _prediction_problems(connection: Connection) -> Iterator[Problem]:
    """Predictions that cannot be decoded, or do not give the accuracy that is stored."""
    statement = select(
        *(Evaluation.evaluation_id, Evaluation.identity),
        *(Evaluation.n, Prediction.n, LabelSet.sha256),
    )
    statement = statement.outerjoin(
        Prediction, Prediction.evaluation_id == Evaluation.evaluation_id
    ).outerjoin(LabelSet, LabelSet.label_set_id == Prediction.label_set_id)
    # What detectors found has a check of its own.
    found = select(Detection.evaluation_id).where(
        Detection.evaluation_id == Evaluation.evaluation_id, Prediction.n.is_(None)
    )
    statement = statement.where(~found.exists())
    for key, identity, n, predicted, sha256 in chunks(
        connection, statement, Evaluation.evaluation_id
    ):
        where = f"evaluation {identity[:12]} (row {key})"
        if predicted is None:
            yield Problem(where, "its predictions are missing")
            continue
        try:
            predictions = read_predictions(connection, identity)
        except StoreError as error:
            yield Problem(where, error.what)
            continue
        if predicted != n:
            yield Problem(where, f"it is over {n} images and has predictions for {predicted}")
        labels = predictions.labels.astype("<i8").tobytes()
        if hashlib.sha256(labels).hexdigest() != sha256:
            yield Problem(where, "its labels are not those that were stored")
        correct = float((predictions.labels == predictions.predicted).mean()) if predicted else 0.0
        stored = connection.execute(
            select(Score.value)
            .join(Metric)
            .where(Score.evaluation_id == key, Metric.name == "top1", Metric.version == "1")
        ).first()
        if stored is None or not predicted:
            continue
        if stored[0] is None or abs(stored[0] - correct) > _TOP1_TOLERANCE:
            yield Problem(where, f"its top1 is {stored[0]}, and its predictions give {correct}")


def _checkpoint_problems(connection: Connection) -> Iterator[Problem]:
    statement = (
        select(Training.training_id, Training.identity)
        .outerjoin(
            Artifact, (Artifact.training_id == Training.training_id) & (Artifact.kind == CHECKPOINT)
        )
        .where(Artifact.artifact_id.is_(None))
    )
    for key, identity in chunks(connection, statement, Training.training_id):
        yield Problem(f"training {identity[:12]} (row {key})", "it has no checkpoint")


def _artifact_problems(connection: Connection, artifacts: Path | None) -> Iterator[Problem]:
    statement = select(
        *(Artifact.artifact_id, Training.training_id, Training.identity),
        *(Artifact.kind, Artifact.path, Artifact.sha256, Artifact.size_bytes),
    ).join_from(Artifact, Training)
    for _, key, identity, kind, path, sha256, size in chunks(
        connection, statement, Artifact.artifact_id
    ):
        where = f"training {identity[:12]} (row {key})"
        try:
            check_artifact_path(path)
        except StoreError as error:
            yield Problem(where, error.what)
            continue
        if artifacts is not None:
            what = f"its {kind.replace('-', ' ')} {artifacts / path}"
            yield from _file_problems_of(where, what, artifacts / path, sha256, size)


def _file_problems_of(
    where: str, what: str, file: Path, sha256: str, size: int
) -> Iterator[Problem]:
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        found = file.stat().st_size
    except OSError as error:
        yield Problem(where, f"{what} cannot be read: {error.strerror}")
        return
    if found != size or digest != sha256:
        yield Problem(where, f"{what} is not the file that was stored")

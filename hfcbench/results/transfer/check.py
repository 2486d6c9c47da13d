"""Whether a database holds together: every identity, reference, score and checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select, text

from hfcbench.errors import StoreError
from hfcbench.results.column_types import canonical_text, digest_of
from hfcbench.results.schema import (
    Artifact,
    Condition,
    Dataset,
    Evaluation,
    Metric,
    Prediction,
    Score,
    Training,
)
from hfcbench.results.writing.stored_predictions import read_predictions
from hfcbench.results.writing.writes import check_artifact_path, configuration_of

_CHUNK = 2_000
_TOP1_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Problem:
    """Something that contradicts itself.

    Attributes:
        where: table and row.
        what: one sentence.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check(connection: Connection, artifacts: Path | None) -> Iterator[Problem]:
    """Everything that is wrong with a database, a problem at a time.

    Args:
        connection: for reading.
        artifacts: the folder of checkpoints, whose files are then hashed; None leaves them alone.
    """
    if connection.dialect.name == "sqlite":
        yield from _file_problems(connection)
    yield from _training_problems(connection)
    yield from _condition_problems(connection)
    yield from _evaluation_problems(connection)
    yield from _score_problems(connection)
    yield from _prediction_problems(connection)
    yield from _checkpoint_problems(connection, artifacts)


def _file_problems(connection: Connection) -> Iterator[Problem]:
    for (message,) in connection.execute(text("PRAGMA integrity_check")):
        if message != "ok":
            yield Problem("file", str(message))
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield Problem(f"{table} row {row}", f"points to a row of {parent} that is not there")


def _training_problems(connection: Connection) -> Iterator[Problem]:
    statement = select(
        Training.training_id,
        Training.identity,
        Training.specification,
        Training.configuration,
        Dataset.fingerprint,
    ).join(Dataset)
    for key, identity, specification, configuration, fingerprint in _chunks(
        connection, statement, Training.training_id
    ):
        where = f"training {identity[:12]} (row {key})"
        yield from _identity_problems(where, identity, specification)
        if configuration_of(specification) != configuration:
            yield Problem(where, "its configuration is not the hash of its specification")
        stated = specification.get("dataset", {}).get("fingerprint")
        if stated != fingerprint:
            yield Problem(where, "its specification names another dataset than its row")


def _evaluation_problems(connection: Connection) -> Iterator[Problem]:
    statement = select(
        Evaluation.evaluation_id, Evaluation.identity, Evaluation.specification, Training.identity
    ).join(Training)
    for key, identity, specification, training in _chunks(
        connection, statement, Evaluation.evaluation_id
    ):
        where = f"evaluation {identity[:12]} (row {key})"
        yield from _identity_problems(where, identity, specification)
        if specification.get("training") != training:
            yield Problem(where, "its specification names another training than its row")


def _identity_problems(
    where: str, identity: str, specification: Mapping[str, Any]
) -> Iterator[Problem]:
    if hashlib.sha256(canonical_text(specification).encode()).hexdigest() != identity:
        yield Problem(where, "its identity is not the hash of its specification")


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
        )
    )
    for identity, metric in connection.execute(statement):
        yield Problem(
            f"score {metric} of evaluation {identity[:12]}",
            "it names another training or condition than its evaluation",
        )


def _prediction_problems(connection: Connection) -> Iterator[Problem]:
    """Predictions that cannot be decoded, or do not give the accuracy that is stored."""
    statement = select(
        Evaluation.evaluation_id, Evaluation.identity, Evaluation.n, Prediction.n
    ).outerjoin(Prediction, Prediction.evaluation_id == Evaluation.evaluation_id)
    for key, identity, n, predicted in _chunks(connection, statement, Evaluation.evaluation_id):
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
        correct = float((predictions.labels == predictions.predicted).mean()) if n else 0.0
        stored = connection.scalar(
            select(Score.value)
            .join(Metric)
            .where(Score.evaluation_id == key, Metric.name == "top1", Metric.version == "1")
        )
        if stored is not None and abs(stored - correct) > _TOP1_TOLERANCE:
            yield Problem(where, f"its top1 is {stored}, and its predictions give {correct}")


def _checkpoint_problems(connection: Connection, artifacts: Path | None) -> Iterator[Problem]:
    statement = select(
        *(Training.training_id, Training.identity),
        *(Artifact.path, Artifact.sha256, Artifact.size_bytes),
    ).outerjoin(
        Artifact, (Artifact.training_id == Training.training_id) & (Artifact.kind == "checkpoint")
    )
    for key, identity, path, sha256, size in _chunks(connection, statement, Training.training_id):
        where = f"training {identity[:12]} (row {key})"
        if path is None:
            yield Problem(where, "it has no checkpoint")
            continue
        try:
            check_artifact_path(path)
        except StoreError as error:
            yield Problem(where, error.what)
            continue
        if artifacts is not None:
            yield from _file_of(where, artifacts / path, sha256, size)


def _file_of(where: str, file: Path, sha256: str, size: int) -> Iterator[Problem]:
    try:
        content = file.read_bytes()
    except OSError as error:
        yield Problem(where, f"its checkpoint {file} cannot be read: {error.strerror}")
        return
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        yield Problem(where, f"its checkpoint {file} is not the file that was stored")


def _chunks(
    connection: Connection, statement: Select[*tuple[Any, ...]], key: Any
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of a statement by their first column, never all of them in memory."""
    after = 0
    while True:
        rows: Sequence[Row[*tuple[Any, ...]]] = connection.execute(
            statement.where(key > after).order_by(key).limit(_CHUNK)
        ).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]

"""From records to rows, inside a write transaction that the store opens."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from sqlalchemy import Connection, select, update

from hfcbench.errors import StoreError
from hfcbench.references import split_combination, split_inline_argument
from hfcbench.results.column_types import digest_of, stored_value
from hfcbench.results.records import (
    ArtifactRecord,
    CurvePoint,
    DatasetRecord,
    EvaluationRecord,
    FailureRecord,
    NoteRecord,
    RunRecord,
    TrainingRecord,
)
from hfcbench.results.schema import (
    Artifact,
    Curve,
    Dataset,
    Epoch,
    Evaluation,
    Failure,
    Note,
    Plugin,
    Run,
    RunPlugin,
    Training,
    TrainingHeuristic,
)
from hfcbench.results.writing.conditions import mapping_in, text_in
from hfcbench.results.writing.rows import insert_missing, insert_row, rows_among
from hfcbench.types import JSON

FULL_SCALE = "full"
NO_HEURISTIC = "vanilla"


def insert_run(connection: Connection, record: RunRecord) -> int:
    """Add a run that starts, with its plugins; returns its id."""
    values = {name: _printable(value) for name, value in _plain(record).items()}
    plugins = [
        {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        for plugin in values.pop("plugins")
    ]
    values |= {"uuid": str(uuid.uuid4()), "status": "running"}
    run_id = insert_row(connection, Run, values)
    insert_missing(connection, Plugin, plugins)
    loaded = {tuple(plugin.values()) for plugin in plugins}
    known = connection.execute(
        select(Plugin.plugin_id, Plugin.name, Plugin.distribution, Plugin.version)
    )
    rows = [{"run_id": run_id, "plugin_id": row[0]} for row in known if tuple(row[1:]) in loaded]
    insert_missing(connection, RunPlugin, rows)
    return run_id


def end_run(connection: Connection, run_id: int, status: str) -> None:
    """Note how and when a run ended."""
    result = connection.execute(
        update(Run).where(Run.run_id == run_id).values(status=status, finished_at=datetime.now(UTC))
    )
    if result.rowcount != 1:
        raise StoreError(f"there is no run {run_id} to finish")


def insert_dataset(connection: Connection, record: DatasetRecord) -> None:
    """Add a dataset, unless one of this name, version and content is known."""
    description = record.description
    row = {
        "name": record.name,
        "version": record.version,
        "fingerprint": record.fingerprint,
        "parameters": dict(record.parameters),
        "classes": list(description.classes),
        "channels": description.shape.channels,
        "height": description.shape.height,
        "width": description.shape.width,
        "sizes": dict(description.sizes),
        "source": description.source,
        "task": description.task,
    }
    insert_missing(connection, Dataset, [row])


def insert_training(connection: Connection, record: TrainingRecord, run_id: int) -> None:
    """Add a training with its files and curve, unless its identity is known."""
    if connection.scalar(select(Training.training_id).where(Training.identity == record.identity)):
        return
    values = _plain(record)
    curve: Sequence[CurvePoint] = values.pop("curve")
    for name in ("checkpoint", "labels", "dataset_fingerprint", "dataset_name"):
        del values[name]
    component = mapping_in(record.specification, "component")
    values |= {
        "run_id": run_id,
        "dataset_id": _dataset_id(connection, record),
        "configuration": configuration_of(record.specification),
        "scale": str(record.specification.get("scale", FULL_SCALE)),
        "model_version": text_in(record.specification, "model", "version"),
        "decomposition": text_in(component, "decomposition", "name"),
    }
    training_id = insert_row(connection, Training, values)
    insert_artifacts(connection, training_id, record.artifacts)
    insert_missing(connection, TrainingHeuristic, _heuristics(training_id, record))
    insert_curve(connection, training_id, curve)


def insert_artifacts(
    connection: Connection, training_id: int, artifacts: Sequence[ArtifactRecord]
) -> None:
    """Add the files of those kinds that a training has none of."""
    known = set(
        connection.scalars(select(Artifact.kind).where(Artifact.training_id == training_id))
    )
    for artifact in artifacts:
        check_artifact_path(artifact.path)
        if artifact.kind not in known:
            insert_row(connection, Artifact, _plain(artifact) | {"training_id": training_id})


def configuration_of(specification: Mapping[str, JSON]) -> str:
    """What repetitions of a training with other seeds share: the sha256 of all but the seed."""
    return digest_of({key: value for key, value in specification.items() if key != "seed"})


def check_artifact_path(path: str) -> None:
    """Raise StoreError for a path that leads out of the artifacts folder."""
    for flavour in (PurePosixPath(path), PureWindowsPath(path)):
        if flavour.is_absolute() or flavour.drive or ".." in flavour.parts or not path:
            raise StoreError(f"the artifact path '{path}' does not stay in the artifacts folder")


def insert_curve(connection: Connection, training_id: int, points: Sequence[CurvePoint]) -> None:
    """Add the points of a training's curves that are missing."""
    curves = {_curve_key(point): None for point in points}
    insert_missing(
        connection,
        Curve,
        [{"training_id": training_id, **dict(zip(_CURVE, key, strict=True))} for key in curves],
    )
    columns = [getattr(Curve, name) for name in _CURVE]
    stored = connection.execute(
        select(Curve.curve_id, *columns).where(Curve.training_id == training_id)
    )
    curve_ids = {tuple(row[1:]): row[0] for row in stored}
    insert_missing(
        connection,
        Epoch,
        [
            {"curve_id": curve_ids[_curve_key(point)], "epoch": point.epoch}
            | stored_value(point.value)
            for point in points
        ],
    )


def insert_failure(connection: Connection, record: FailureRecord, run_id: int) -> None:
    """Add a failure."""
    values = {name: _printable(value) for name, value in _plain(record).items()}
    insert_row(connection, Failure, values | {"run_id": run_id})


def insert_note(connection: Connection, record: NoteRecord, run_id: int) -> None:
    """Add a note."""
    values = {name: _printable(value) for name, value in _plain(record).items()}
    insert_row(connection, Note, values | {"run_id": run_id})


def evaluation_row(
    record: EvaluationRecord, training_id: int, condition_id: int, run_id: int
) -> dict[str, Any]:
    """The columns of table ``evaluations``."""
    return {
        "identity": record.identity,
        "training_id": training_id,
        "condition_id": condition_id,
        "run_id": run_id,
        "n": record.n,
        "device": record.device,
        "started_at": record.started_at,
        "duration_seconds": record.duration_seconds,
        "specification": record.specification,
    }


def training_ids(connection: Connection, identities: Sequence[str]) -> dict[str, int]:
    """The ids of trainings.

    Raises:
        StoreError: one of them is not in the database.
    """
    statement = select(Training.identity, Training.training_id)
    rows = rows_among(connection, statement, Training.identity, identities)
    found = {row[0]: row[1] for row in rows}
    for identity in identities:
        if identity not in found:
            raise StoreError(f"training {identity[:12]} is not in the database; add it first")
    return found


def evaluation_ids(connection: Connection, identities: Sequence[str]) -> dict[str, int]:
    """The ids of those evaluations that are in the database."""
    statement = select(Evaluation.identity, Evaluation.evaluation_id)
    rows = rows_among(connection, statement, Evaluation.identity, identities)
    return {row[0]: row[1] for row in rows}


_CURVE = ("split", "component", "decomposition", "rescaling", "metric", "n")


def _curve_key(point: CurvePoint) -> tuple[Any, ...]:
    return tuple(getattr(point, name) for name in _CURVE)


def _heuristics(training_id: int, record: TrainingRecord) -> list[dict[str, Any]]:
    if record.heuristics == NO_HEURISTIC:
        return []
    labels = split_combination(record.heuristics)
    return [
        {
            "training_id": training_id,
            "position": position,
            "name": split_inline_argument(label.partition("(")[0])[0],
            "label": label,
        }
        for position, label in enumerate(labels)
    ]


def _dataset_id(connection: Connection, record: TrainingRecord) -> int:
    rows = connection.execute(
        select(Dataset.dataset_id, Dataset.version)
        .where(Dataset.name == record.dataset_name)
        .where(Dataset.fingerprint == record.dataset_fingerprint)
        .order_by(Dataset.dataset_id.desc())
    ).all()
    version = text_in(record.specification, "dataset", "version")
    matching = [row[0] for row in rows if version in (None, row[1])]
    if not matching:
        raise StoreError(
            f"dataset {record.dataset_name} with fingerprint {record.dataset_fingerprint[:12]} "
            "is not in the database; add it first"
        )
    return int(matching[0])


def _plain(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _printable(value: Any) -> Any:
    """Text that any database takes: what a plugin raised must not be what stops its record."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")

"""Inserting evaluations with all that belongs to them, and finding them again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from hfcbench.errors import StoreError
from hfcbench.results.records import EvaluationRecord
from hfcbench.results.schema import Evaluation, ReliabilityCheck
from hfcbench.results.writing import stored_predictions, writes
from hfcbench.results.writing.conditions import condition_ids, condition_row
from hfcbench.results.writing.detections import PackedDetections, pack_detections, pack_pictures
from hfcbench.results.writing.predictions import PackedPredictions, pack_predictions
from hfcbench.results.writing.rows import insert_missing
from hfcbench.results.writing.scores import ScoredEvaluation, insert_scores
from hfcbench.results.writing.stored_detections import insert_detections
from hfcbench.types import Predictions

Packed: TypeAlias = PackedPredictions | PackedDetections


def packed_by_identity(records: Sequence[EvaluationRecord]) -> dict[str, Packed]:
    """What each evaluation answered as bytes; pictures that several share are encoded once.

    Raises:
        StoreError: arrays of other shapes or types than their descriptions say.
    """
    sets = {
        id(record.predictions.pictures): record.predictions.pictures
        for record in records
        if not isinstance(record.predictions, Predictions)
    }
    pictures = {key: pack_pictures(item) for key, item in sets.items()}
    return {
        record.identity: pack_predictions(found)
        if isinstance(found, Predictions)
        else pack_detections(found, pictures[id(found.pictures)])
        for record, found in ((record, record.predictions) for record in records)
    }


def insert_evaluations(
    connection: Connection,
    records: Sequence[EvaluationRecord],
    packed: Mapping[str, Packed],
    run_id: int,
) -> None:
    """Add evaluations whose identities are not known yet; their trainings must be.

    Args:
        packed: from :func:`packed_by_identity`.

    Raises:
        StoreError: a training is missing, or detections do not belong to its dataset.
    """
    known = writes.evaluation_ids(connection, list(packed))
    new = {item.identity: item for item in records if item.identity not in known}
    trainings = writes.training_ids(
        connection, list({record.training_identity for record in new.values()})
    )
    rows = {identity: condition_row(record) for identity, record in new.items()}
    conditions = condition_ids(connection, list(rows.values()))
    places = {
        identity: (trainings[record.training_identity], conditions[rows[identity]["digest"]])
        for identity, record in new.items()
    }
    insert_missing(
        connection,
        Evaluation,
        [
            writes.evaluation_row(record, *places[identity], run_id)
            for identity, record in new.items()
        ],
    )
    ids = writes.evaluation_ids(connection, list(new))
    found = {ids[identity]: packed[identity] for identity in new}
    stored_predictions.insert_predictions(
        connection, {key: one for key, one in found.items() if isinstance(one, PackedPredictions)}
    )
    insert_detections(
        connection, {key: one for key, one in found.items() if isinstance(one, PackedDetections)}
    )
    insert_missing(
        connection,
        ReliabilityCheck,
        [row for identity, record in new.items() for row in check_rows(ids[identity], record)],
    )
    insert_scores(
        connection,
        [
            ScoredEvaluation(ids[identity], *places[identity], record.scores)
            for identity, record in new.items()
        ],
    )


def check_rows(evaluation_id: int, record: EvaluationRecord) -> list[dict[str, Any]]:
    """The rows of table ``reliability_checks`` of an evaluation."""
    return [
        {
            "evaluation_id": evaluation_id,
            "name": check.name,
            "value": check.value,
            "threshold": check.threshold if math.isfinite(check.threshold) else None,
            "flagged": check.flagged,
            "n": check.n,
        }
        for check in record.checks
    ]


def locate_evaluation(connection: Connection, identity: str) -> ScoredEvaluation:
    """Where an evaluation lies, without scores.

    Raises:
        StoreError: it is not in the database.
    """
    row = connection.execute(
        select(Evaluation.evaluation_id, Evaluation.training_id, Evaluation.condition_id).where(
            Evaluation.identity == identity
        )
    ).one_or_none()
    if row is None:
        raise StoreError(f"evaluation {identity[:12]} is not in the database")
    return ScoredEvaluation(row[0], row[1], row[2], ())

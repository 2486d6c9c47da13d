"""Writing and reading the rows that hold per-image predictions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from hfcbench.errors import StoreError
from hfcbench.results.schema import Detection, Evaluation, LabelSet, Prediction
from hfcbench.results.writing.predictions import (
    ENCODING,
    PackedArray,
    PackedPredictions,
    check_encoding,
    unpack_predictions,
)
from hfcbench.results.writing.rows import insert_missing
from hfcbench.types import Predictions


def insert_predictions(connection: Connection, packed: Mapping[int, PackedPredictions]) -> None:
    """Add predictions by evaluation id; equal labels are stored once."""
    label_rows = {
        item.labels_sha256: {
            "sha256": item.labels_sha256,
            "n": item.n,
            "encoding": ENCODING,
            "labels_dtype": item.labels.dtype,
            "labels": item.labels.data,
        }
        for item in packed.values()
    }
    insert_missing(connection, LabelSet, list(label_rows.values()))
    rows = connection.execute(
        select(LabelSet.sha256, LabelSet.label_set_id).where(LabelSet.sha256.in_(list(label_rows)))
    )
    label_set_ids = {row[0]: row[1] for row in rows}
    insert_missing(
        connection,
        Prediction,
        [
            {
                "evaluation_id": evaluation_id,
                "label_set_id": label_set_ids[item.labels_sha256],
                "n": item.n,
                "encoding": ENCODING,
                "predicted_dtype": item.predicted.dtype,
                "predicted": item.predicted.data,
                "confidence_dtype": item.confidence.dtype,
                "confidence": item.confidence.data,
                "loss_dtype": item.loss.dtype,
                "loss": item.loss.data,
            }
            for evaluation_id, item in packed.items()
        ],
    )


def read_predictions(connection: Connection, identity: str) -> Predictions:
    """The predictions of an evaluation.

    Raises:
        StoreError: the evaluation is not in the database, or holds detections, or its bytes are
            damaged.
    """
    row = connection.execute(
        select(
            Prediction.encoding,
            LabelSet.encoding,
            Prediction.n,
            LabelSet.sha256,
            *(LabelSet.labels_dtype, LabelSet.labels),
            *(Prediction.predicted_dtype, Prediction.predicted),
            *(Prediction.confidence_dtype, Prediction.confidence),
            *(Prediction.loss_dtype, Prediction.loss),
        )
        .join_from(Prediction, LabelSet)
        .join(Evaluation, Evaluation.evaluation_id == Prediction.evaluation_id)
        .where(Evaluation.identity == identity)
    ).one_or_none()
    if row is None:
        raise _not_there(connection, identity)
    encoding, labels_encoding, n, labels_sha256, *arrays = tuple(row)
    check_encoding(encoding)
    check_encoding(labels_encoding)
    packed = map(PackedArray, arrays[::2], arrays[1::2])
    return unpack_predictions(PackedPredictions(n, labels_sha256, *packed))


def _not_there(connection: Connection, identity: str) -> StoreError:
    found = connection.scalar(
        select(Detection.evaluation_id)
        .join(Evaluation, Evaluation.evaluation_id == Detection.evaluation_id)
        .where(Evaluation.identity == identity)
    )
    if found is None:
        return StoreError(f"evaluation {identity[:12]} is not in the database")
    return StoreError(f"evaluation {identity[:12]} holds detections, not predictions of classes")

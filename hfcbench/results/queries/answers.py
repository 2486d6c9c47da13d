"""Which images evaluations answered rightly, without what else is stored of each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from hfcbench.errors import StoreError
from hfcbench.results.schema import Condition, Dataset, Evaluation, LabelSet, Prediction, Training
from hfcbench.results.statistics import Answers, ImageSet
from hfcbench.results.writing.predictions import PackedArray, check_encoding, unpack_array
from hfcbench.results.writing.rows import rows_among

_COLUMNS = (
    *(Evaluation.identity, Condition.split, Dataset.fingerprint, Dataset.sizes, Prediction.n),
    *(Prediction.encoding, Prediction.predicted_dtype, Prediction.predicted),
    *(LabelSet.sha256, LabelSet.encoding, LabelSet.labels_dtype, LabelSet.labels),
)


def read_answers(connection: Connection, identities: Sequence[str]) -> dict[str, Answers]:
    """The answers of those of these evaluations whose predictions are stored, by identity.

    Raises:
        StoreError: the stored bytes are damaged, or their dataset has no such split.
    """
    statement = (
        select(*_COLUMNS)
        .join_from(Evaluation, Prediction, Prediction.evaluation_id == Evaluation.evaluation_id)
        .join(LabelSet, LabelSet.label_set_id == Prediction.label_set_id)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .join(Training, Training.training_id == Evaluation.training_id)
        .join(Dataset, Dataset.dataset_id == Training.dataset_id)
    )
    rows = rows_among(connection, statement, Evaluation.identity, identities)
    return {row[0]: _answers(row) for row in rows}


def _answers(row: tuple[Any, ...]) -> Answers:
    identity, split, fingerprint, sizes, n, encoding, *predicted = row[:8]
    labels_sha256, labels_encoding, *labels = row[8:]
    check_encoding(encoding)
    check_encoding(labels_encoding)
    if split not in sizes:
        raise StoreError(
            f"evaluation {identity[:12]} is of split '{split}', which its dataset does not have"
        )
    classes = unpack_array(PackedArray(*labels), n)
    answered = unpack_array(PackedArray(*predicted), n)
    images = ImageSet(fingerprint, split, int(sizes[split]), n, labels_sha256)
    return Answers(images, classes.astype("int64"), answered == classes)

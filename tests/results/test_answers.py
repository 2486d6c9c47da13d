"""Which images evaluations answered rightly, as the store tells it."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from hfcbench.errors import StoreError
from hfcbench.results.store import Store
from hfcbench.types import Predictions


def predictions(labels: list[int], predicted: list[int]) -> Predictions:
    flat = np.full(len(labels), 0.5, np.float32)
    return Predictions(np.array(labels), np.array(predicted), flat, flat)


def test_answers_of_some_evaluations(store: Store, run_id: int, build: ModuleType) -> None:
    records = []
    for seed, (labels, predicted) in enumerate(
        [([0, 300, 2], [0, 300, 1]), ([0, 300, 2], [-1, 300, 2]), ([0, 300], [0, 0])]
    ):
        training = build.training(seed=seed)
        store.add_training(training, run_id)
        record = build.evaluation(training, n=len(labels))
        records.append(replace(record, predictions=predictions(labels, predicted)))
    store.add_evaluations(records, run_id)
    first, second, third = (record.identity for record in records)
    found = store.answers([second, first, "unknown"])
    assert set(found) == {first, second}
    assert found[first].right.tolist() == [True, True, False]
    assert found[first].labels.tolist() == [0, 300, 2]
    # No class, -1, is never right.
    assert found[second].right.tolist() == [False, True, True]
    assert found[first].images == found[second].images
    images = store.answers([third])[third].images
    assert images != found[first].images
    assert (images.fingerprint, images.split) == (build.FINGERPRINT, "test")
    assert (images.size, images.n) == (100, 2)


def test_a_split_that_the_dataset_does_not_have(
    store: Store, run_id: int, build: ModuleType
) -> None:
    training = build.training()
    store.add_training(training, run_id)
    record = build.evaluation(training, split="holdout")
    store.add_evaluations([record], run_id)
    with pytest.raises(StoreError, match="split 'holdout', which its dataset does not have"):
        store.answers([record.identity])

"""Robust accuracy from stored predictions, by hand."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from hfcbench.errors import UsageError
from hfcbench.results.records import EvaluationRecord, TrainingRecord
from hfcbench.results.store import Store
from hfcbench.sampling import chosen_images
from hfcbench.types import Predictions

SIZE = 100


@pytest.fixture
def training(store: Store, run_id: int, build: ModuleType) -> TrainingRecord:
    made: TrainingRecord = build.training()
    store.add_training(made, run_id)
    return made


@pytest.fixture
def records(
    store: Store, run_id: int, build: ModuleType, training: TrainingRecord
) -> list[EvaluationRecord]:
    """Clean on 100 images; attacked on 40 of them, each wrong on some of its own."""
    image = chosen_images(SIZE, 40).tolist()
    elsewhere = min(set(range(SIZE)) - set(image))
    made = [
        build.answered(training, {image[0], elsewhere}),
        build.answered(training, {image[1], image[2]}, n=40, attack="fgsm", epsilon=0.03),
        build.answered(training, {image[2], image[3]}, n=40, attack="pgd", epsilon=0.03),
        build.answered(training, {image[4]}, n=40, attack="fgsm", epsilon=0.01),
        build.answered(training, set(image), n=40, attack="pgd", epsilon=0.06),
        # Neither components nor other defences count.
        build.answered(training, set(image), n=40, component="lfc@8", attack="pgd", epsilon=0.03),
        build.answered(training, set(image), n=40, defence="jpeg", attack="pgd", epsilon=0.03),
    ]
    store.add_evaluations(made, run_id)
    return made


def test_an_image_is_robust_if_nothing_breaks_it(
    store: Store, records: list[EvaluationRecord]
) -> None:
    found = store.worst_case([item.identity for item in records[:4]])
    assert found.right.tolist() == [False] * 5 + [True] * 35
    assert found.images.n == 40
    clean, fgsm = (store.worst_case([item.identity]) for item in records[:2])
    assert (clean.accuracy, fgsm.accuracy) == (0.98, 0.95)


def test_robust_accuracy_of_every_model(
    store: Store,
    records: list[EvaluationRecord],
    run_id: int,
    build: ModuleType,
) -> None:
    # One that was never attacked, and one whose attacks are on other images.
    other = build.training(seed=1)
    lonely = build.training(seed=2)
    for made in (other, lonely):
        store.add_training(made, run_id)
    store.add_evaluations(
        [
            build.answered(lonely, set()),
            build.answered(other, {0}),
            build.answered(other, {0, 1}, attack="fgsm", epsilon=0.03),
        ],
        run_id,
    )
    frame = store.robust_accuracy(attacked_with=0.03)
    shown = frame[["seed", "defence", "attacked_by", "n", "clean", "value"]]
    assert shown.to_numpy().tolist() == [
        [0, "none", "fgsm, pgd up to 0.03", 40, 0.98, 0.875],
        [1, "none", "fgsm at 0.03", 100, 0.99, 0.98],
    ]
    # Wilson, 35 of 40.
    assert frame.loc[0, ["low", "high"]].tolist() == pytest.approx([0.7389, 0.9454], abs=1e-4)
    small = store.robust_accuracy(attacked_with=0.01)
    assert small[["attacked_by", "value"]].to_numpy().tolist() == [["fgsm at 0.01", 0.95]]
    assert store.robust_accuracy(attacked_with=0.06, seed=0)["value"].tolist() == [0.0]
    assert store.robust_accuracy(attacked_with=0.001).empty
    assert store.robust_accuracy(attacked_with=0.03, model="lenet5").empty


def test_what_has_no_worst_case(
    store: Store,
    records: list[EvaluationRecord],
    run_id: int,
    build: ModuleType,
    training: TrainingRecord,
) -> None:
    with pytest.raises(UsageError, match="no predictions of an evaluation ffffffffffff"):
        store.worst_case([records[0].identity, "f" * 64])
    with pytest.raises(UsageError, match="needs an evaluation"):
        store.worst_case([])
    # The first forty, not those that hfcbench chooses.
    first = build.evaluation(training, n=40, attack="fgsm", epsilon=0.02)
    labels = np.arange(40) % 7
    flat = np.full(40, 0.5, np.float32)
    first = replace(first, predictions=Predictions(labels, labels, flat, flat))
    store.add_evaluations([first], run_id)
    with pytest.raises(UsageError, match="cannot be paired") as caught:
        store.worst_case([records[0].identity, first.identity])
    assert "samples: {test: N, attack: N}" in str(caught.value)

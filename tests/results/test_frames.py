"""Tidy frames of scores and curves, and the two SQL views."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from types import ModuleType

import pandas as pd
import pytest

from hfcbench.results.records import TrainingRecord
from hfcbench.results.store import Store


@pytest.fixture
def training(store: Store, run_id: int, build: ModuleType) -> TrainingRecord:
    """A training with evaluations that differ in everything the views tell apart."""
    record: TrainingRecord = build.training()
    store.add_training(record, run_id)
    store.add_evaluations(
        [
            build.evaluation(record, value=0.75),
            build.evaluation(record, "lfc@4", value=0.5),
            build.evaluation(record, "hfc@4", value=0.25),
            build.evaluation(record, "lfc@8", value=0.625),
            build.evaluation(record, "hfc@8", value=math.nan),
            build.evaluation(record, "band@4-8", decomposition="fft-band", value=0.5),
            build.evaluation(record, attack="fgsm", epsilon=0.03, value=0.5, n=40),
            build.evaluation(record, attack="fgsm", epsilon=0.06, value=0.375, n=40),
            build.evaluation(record, "lfc@4", attack="fgsm", epsilon=0.06, value=0.125, n=40),
            build.evaluation(record, attack="pgd", epsilon=0.06, value=math.nan, n=40),
            build.evaluation(record, defence="jpeg", value=0.5),
        ],
        run_id,
    )
    return record


LEADERBOARD = (
    "SELECT defence, decomposition, rescaling, cutoff, n, original, lfc, hfc, gap, robust "
    "FROM leaderboard"
)


def test_view_leaderboard(store: Store, training: TrainingRecord) -> None:
    assert store.query(LEADERBOARD)[1] == [
        ("none", "fft-radial", "none", 4.0, 100, 0.75, 0.5, 0.25, 0.25, 0.375),
        ("none", "fft-radial", "none", 8.0, 100, 0.75, 0.625, None, 0.125, 0.375),
        ("jpeg", None, None, None, 100, 0.5, None, None, None, None),
    ]
    _, rows = store.query(
        "SELECT DISTINCT dataset, fingerprint, model, heuristics, trained_on, seed, split, epochs, "
        "training FROM leaderboard"
    )
    assert rows == [
        (
            *("pets", training.dataset_fingerprint, "resnet18", "vanilla", "original"),
            *(0, "test", 2, training.identity),
        ),
    ]
    _, intervals = store.query("SELECT DISTINCT original_low, original_high FROM leaderboard")
    assert sorted(intervals) == [pytest.approx((0.4, 0.6)), pytest.approx((0.65, 0.85))]


def test_view_leaderboard_keeps_apart_what_does_not_compare(
    store: Store, run_id: int, training: TrainingRecord, build: ModuleType
) -> None:
    store.add_evaluations(
        [
            build.evaluation(training, value=0.7, n=50),
            build.evaluation(training, "lfc@4", value=0.4, n=50),
            build.evaluation(training, "lfc@4", value=0.3, decomposition="svd"),
            build.evaluation(training, "lfc@4", value=0.2, rescaling="max"),
            build.evaluation(training, "lfc@4", value=0.1, decomposition_version="2"),
            # Another version of the evaluation engine never shares a row.
            build.evaluation(training, "hfc@4", value=0.3, procedure="2"),
        ],
        run_id,
    )
    _, rows = store.query(
        "SELECT n, decomposition, decomposition_version, rescaling, original, lfc, hfc "
        "FROM leaderboard WHERE cutoff = 4"
    )
    assert sorted(rows, key=str) == [
        (100, "fft-radial", "1", "max", 0.75, 0.2, None),
        (100, "fft-radial", "1", "none", 0.75, 0.5, 0.25),
        (100, "fft-radial", "1", "none", None, None, 0.3),
        (100, "fft-radial", "2", "none", 0.75, 0.1, None),
        (100, "svd", "1", "none", 0.75, 0.3, None),
        (50, "fft-radial", "1", "none", 0.7, 0.4, None),
    ]


def test_view_leaderboard_is_sorted_best_first(
    store: Store, run_id: int, training: TrainingRecord, build: ModuleType
) -> None:
    for seed, value in ((1, 0.5), (2, 0.9)):
        other = build.training(seed=seed)
        store.add_training(other, run_id)
        store.add_evaluations(
            [build.evaluation(other, value=value), build.evaluation(other, "lfc@8")], run_id
        )
    _, rows = store.query("SELECT original FROM leaderboard WHERE cutoff = 8")
    assert rows == [(0.9,), (0.75,), (0.5,)]


def test_view_leaderboard_without_originals(store: Store, run_id: int, build: ModuleType) -> None:
    record = build.training()
    store.add_training(record, run_id)
    store.add_evaluations([build.evaluation(record, "lfc@4", value=0.5)], run_id)
    assert store.query(LEADERBOARD)[1] == [
        ("none", "fft-radial", "none", 4.0, 100, None, 0.5, None, None, None)
    ]


def test_view_robustness(store: Store, training: TrainingRecord) -> None:
    columns, rows = store.query(
        "SELECT attack, epsilon, component, n, accuracy, accuracy_low, accuracy_high "
        "FROM robustness"
    )
    assert columns[-1] == "accuracy_high"
    assert rows == [
        ("fgsm", 0.03, "original", 40, 0.5, pytest.approx(0.4), pytest.approx(0.6)),
        ("fgsm", 0.06, "lfc@4", 40, 0.125, pytest.approx(0.025), pytest.approx(0.225)),
        ("fgsm", 0.06, "original", 40, 0.375, pytest.approx(0.275), pytest.approx(0.475)),
    ]


def test_evaluations_have_a_row_per_score(store: Store, training: TrainingRecord) -> None:
    frame = store.evaluations()
    assert len(frame) == 11
    row = frame[(frame["attack"] == "fgsm") & (frame["component"] == "lfc@4")].iloc[0]
    expected = {
        "dataset": "pets",
        "fingerprint": training.dataset_fingerprint,
        "model": "resnet18",
        "model_version": "1",
        "training": training.identity,
        "attack_version": "1",
        "epsilon": 0.06,
        "part": "lfc",
        "cutoff": 4.0,
        "decomposition": "fft-radial",
        "decomposition_version": "1",
        "rescaling": "none",
        "metric": "top1",
        "metric_version": "1",
        "value": 0.125,
        "n": 40,
    }
    assert {name: row[name] for name in expected} == expected
    assert math.isnan(row["cutoff_inner"])
    assert row["started_at"] == pd.Timestamp("2026-03-01 12:30:15.25", tz="UTC")
    assert isinstance(row["started_at"], datetime)
    assert str(frame["epsilon"].dtype) == str(frame["cutoff_inner"].dtype) == "float64"


def test_filters_of_evaluations(store: Store, training: TrainingRecord) -> None:
    assert set(store.evaluations(defence="jpeg")["defence"]) == {"jpeg"}
    assert store.evaluations(metric="loss").empty
    band = store.evaluations(decomposition="fft-band", defence="none")
    # Originals belong to every decomposition.
    assert sorted(band["component"].unique()) == ["band@4-8", "original"]
    assert store.evaluations(split="train").empty
    assert len(store.evaluations(trainings=[training.identity])) == 11


def test_curves_have_a_row_per_point(
    store: Store, run_id: int, training: TrainingRecord, build: ModuleType
) -> None:
    frame = store.curves()
    assert frame["component"].tolist() == ["original"] * 2 + ["lfc@8"] * 2
    assert frame["epoch"].tolist() == [1, 2, 1, 2]
    assert frame["value"].tolist() == [0.25, 0.5, 0.25, 0.5]
    assert set(frame["n"]) == {100}
    assert frame["decomposition"].isna().tolist() == [True, True, False, False]
    losses = [replace(point, metric="loss", value=math.inf) for point in build.curve()]
    store.add_curve(training.identity, losses)
    assert len(store.curves(metric="loss", component="lfc@8", split="test")) == 2
    assert store.curves(metric="loss")["value"].tolist() == [math.inf] * 4
    assert store.curves(model="lenet5").empty
    assert store.curves(split="train").empty


def test_empty_frames_have_their_columns(store: Store) -> None:
    assert {"model", "component", "value", "low", "high", "n"} <= set(store.evaluations().columns)
    assert {"model", "component", "epoch", "value"} <= set(store.curves().columns)
    assert str(store.evaluations()["value"].dtype) == "float64"

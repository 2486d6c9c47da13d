"""Rows compared image by image, and where a number comes from."""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hfcbench.errors import UsageError
from hfcbench.results.records import EvaluationRecord, TrainingRecord
from hfcbench.results.store import Store
from hfcbench.types import Predictions


def answers(correct: list[bool]) -> Predictions:
    """Predictions of two classes that are right where it is said."""
    labels = np.arange(len(correct)) % 2
    predicted = np.where(correct, labels, 1 - labels)
    flat = np.full(len(correct), 0.5, np.float32)
    return Predictions(labels=labels, predicted=predicted, confidence=flat, loss=flat)


@pytest.fixture
def rows(store: Store, run_id: int, build: ModuleType) -> list[EvaluationRecord]:
    """Three trainings; of 40 images they get the first 36, the first 16 and the last 36 right."""
    right = [[n < 36 for n in range(40)], [n < 16 for n in range(40)], [n >= 4 for n in range(40)]]
    records = []
    for seed, correct in enumerate(right):
        training = build.training(seed=seed)
        store.add_training(training, run_id)
        record = build.evaluation(training, n=40, value=sum(correct) / 40)
        records.append(replace(record, predictions=answers(correct)))
        other = build.evaluation(training, "lfc@8", n=40, value=0.5)
        store.add_evaluations(
            [records[-1], replace(other, predictions=answers([True] * 40))], run_id
        )
    return records


def test_two_evaluations(store: Store, rows: list[EvaluationRecord]) -> None:
    frame = store.compare([rows[0].identity, rows[1].identity[:10]])
    (row,) = frame.to_dict("records")
    assert (row["n"], row["only_first"], row["only_second"]) == (40, 20, 0)
    assert (row["accuracy_first"], row["accuracy_second"]) == (0.9, 0.4)
    assert row["difference"] == pytest.approx(0.5)
    # Twenty discordant images, all on one side: 2 / 2^20.
    assert row["p_value"] == row["p_adjusted"] == pytest.approx(2 / 2**20)
    assert row["test"] == "exact"
    assert row["low"] < 0.5 < row["high"]


def test_all_pairs_are_corrected_for_each_other(store: Store, rows: list[EvaluationRecord]) -> None:
    frame = store.compare([row.identity for row in rows])
    assert frame["only_first"].tolist() == [20, 4, 4]
    assert frame["only_second"].tolist() == [0, 4, 24]
    assert frame["test"].tolist() == ["exact", "exact", "chi-square"]
    # (|4 - 24| - 1)^2 / 28 on one degree of freedom; Holm multiplies by 3, then 2, then 1.
    chi_square = math.erfc(math.sqrt(19**2 / 28 / 2))
    expected = [3 * 2 / 2**20, 1.0, 2 * chi_square]
    assert frame["p_adjusted"].tolist() == pytest.approx(expected)
    assert store.compare([row.identity for row in rows], correction="none")[
        "p_adjusted"
    ].tolist() == pytest.approx(frame["p_value"].tolist())


def test_trainings_are_compared_under_every_condition_that_they_share(
    store: Store, rows: list[EvaluationRecord], build: ModuleType
) -> None:
    trainings = [build.training(seed=seed).identity for seed in (0, 1)]
    frame = store.compare(trainings)
    assert frame["condition"].tolist() == ["original", "lfc@8 [fft-radial, none]"]
    assert frame["difference"].tolist() == pytest.approx([0.5, 0.0])


def test_what_cannot_be_compared(
    store: Store, rows: list[EvaluationRecord], run_id: int, build: ModuleType
) -> None:
    training = build.training()
    other = build.evaluation(training, attack="fgsm", epsilon=0.1, n=30)
    store.add_evaluations([other], run_id)
    with pytest.raises(UsageError, match="not of the same images"):
        store.compare([rows[0].identity, other.identity])
    with pytest.raises(UsageError, match="not mixed"):
        store.compare([rows[0].identity, training.identity])
    with pytest.raises(UsageError, match="two ids"):
        store.compare([rows[0].identity])
    lonely = build.training(seed=9)
    store.add_training(lonely, run_id)
    with pytest.raises(UsageError, match="never evaluated under the same condition"):
        store.compare([training.identity, lonely.identity])


def test_images_on_which_two_rows_differ(store: Store, rows: list[EvaluationRecord]) -> None:
    frame = store.disagreements(rows[0].identity, rows[2].identity)
    assert frame.index.tolist() == [0, 1, 2, 3, 36, 37, 38, 39]
    assert frame["correct_first"].tolist() == [True] * 4 + [False] * 4
    assert frame["correct_second"].tolist() == [False] * 4 + [True] * 4
    whole = store.prediction_frame(rows[0].identity)
    assert len(whole) == 40
    assert whole["correct"].sum() == 36


def test_intervals_from_stored_predictions(store: Store, rows: list[EvaluationRecord]) -> None:
    frame = store.intervals(rows[0].identity)
    assert frame["interval"].tolist() == ["Wilson", "bootstrap", "bootstrap"]
    assert frame["value"].tolist() == [0.9, 0.9, 0.5]
    # 36 of 40 by Wilson's formula, worked out by hand: (0.9 + 0.04802 -+ 0.09882) / 1.09604.
    assert frame.loc[0, ["low", "high"]].tolist() == pytest.approx([0.7695, 0.9604], abs=2e-4)
    assert 0.75 < frame.loc[1, "low"] < 0.85
    assert frame.loc[2, ["low", "high"]].tolist() == [0.5, 0.5]


def test_rank_intervals(store: Store, rows: list[EvaluationRecord]) -> None:
    board = store.leaderboard(rank_intervals=True)
    assert board.frame["rank"].tolist() == [1, 1, 3]
    assert board.frame["rank_low"].tolist() == [1, 1, 3]
    assert board.frame["rank_high"].tolist() == [2, 2, 3]
    limited = store.leaderboard(rank_intervals=True, limit=1)
    assert limited.frame["rank_low"].isna().all()
    assert "1 rows without a rank interval: some rows of the ranking are beyond the limit" in [
        str(item) for item in limited.left_out
    ]


def test_no_rank_intervals_where_nothing_has_a_rank(
    store: Store, run_id: int, build: ModuleType
) -> None:
    training = build.training()
    store.add_training(training, run_id)
    store.add_evaluations([build.evaluation(training, value=float("nan"))], run_id)
    (row,) = store.leaderboard(rank_intervals=True).frame.to_dict("records")
    assert pd.isna(row["rank"])
    assert pd.isna(row["rank_low"])
    assert pd.isna(row["rank_high"])


def test_where_a_number_comes_from(
    store: Store, rows: list[EvaluationRecord], build: ModuleType
) -> None:
    record = rows[1]
    found = store.provenance(record.identity[:12])
    assert (found.kind, found.identity) == ("evaluation", record.identity)
    assert found.finding is not None
    assert found.finding.row["specification"] == record.specification
    assert found.training["specification"] == build.training(seed=1).specification
    assert found.training["seed"] == 1
    assert found.dataset["fingerprint"] == build.FINGERPRINT
    assert found.dataset["parameters"] == {"tile": 32}
    run = found.finding.run
    expected = build.run(cuda_version="12.8", driver_version="570.1")
    for name in ("command", "host", "device", "torch_version", "git_revision", "git_dirty"):
        assert run[name] == getattr(expected, name)
    assert {"driver_version", "cuda_version", "packages", "hfcbench_version"} <= set(run)
    assert run["plugins"] == ["builtin (hfcbench 0.1.0)", "jpeg (hfcbench-jpeg 0.2.0)"]
    assert found.checkpoint is not None
    assert found.checkpoint["sha256"] == "ab"
    (score,) = found.finding.scores
    assert (score["metric"], score["value"], score["n"]) == ("top1", 0.4, 40)
    training = store.provenance(build.training(seed=1).identity)
    assert training.kind == "training"
    assert [row["condition"] for row in training.evaluations] == [
        "original",
        "lfc@8 [fft-radial, none]",
    ]


@pytest.mark.parametrize("given", ["", "abc", "xyz1", "%%%%", "0000000000"])
def test_ids_that_are_none(store: Store, rows: list[EvaluationRecord], given: str) -> None:
    with pytest.raises(UsageError, match=r"no id|begins with"):
        store.provenance(given)


def test_an_id_that_is_not_complete_enough(store: Store, run_id: int, build: ModuleType) -> None:
    for ending in ("0", "1"):
        training: TrainingRecord = build.training(
            seed=int(ending), identity="abcd" * 15 + "000" + ending
        )
        store.add_training(training, run_id)
    with pytest.raises(UsageError, match="several ids begin with abcd"):
        store.provenance("abcdabcd")
    assert store.provenance("ABCD" * 15 + "0001").training["seed"] == 1


def test_filters_combine(store: Store, run_id: int, build: ModuleType) -> None:
    from hfcbench.results.queries.where import Where

    for number, model in enumerate(["lenet5", "resnet18", "vgg11"]):
        for heuristics in ("vanilla", "mixup"):
            training = build.training(model=model, heuristics=heuristics, seed=number)
            store.add_training(training, run_id)
            store.add_evaluations([build.evaluation(training)], run_id)

    def found(where: Any) -> set[tuple[str, str]]:
        frame = store.evaluations(where=where)
        assert len(frame) == len(store.leaderboard(where=where).frame)
        return set(zip(frame["model"], frame["heuristics"], strict=True))

    small, mixup = Where(model=("lenet5", "vgg11")), Where(heuristic="mixup")
    assert found(small & mixup) == {("lenet5", "mixup"), ("vgg11", "mixup")}
    assert found(small & ~mixup) == {("lenet5", "vanilla"), ("vgg11", "vanilla")}
    assert found(~(small | mixup)) == {("resnet18", "vanilla")}
    assert found(Where(heuristic=("vanilla", "mixup"), seed=1)) == {
        ("resnet18", "vanilla"),
        ("resnet18", "mixup"),
    }
    assert found(Where(model=())) == set()
    with pytest.raises(UsageError, match="cannot be restricted by 'attack'"):
        store.leaderboard(where=~Where(attack="fgsm"))


def test_more_rows_than_anybody_wants_are_refused(
    store: Store, rows: list[EvaluationRecord]
) -> None:
    with pytest.raises(UsageError, match="more than 5 rows"):
        store.evaluations(limit=5)
    assert len(store.evaluations(limit=6)) == len(store.evaluations(limit=None)) == 6


def test_components_against_originals(store: Store, run_id: int, build: ModuleType) -> None:
    training = build.training()
    store.add_training(training, run_id)
    store.add_evaluations(
        [
            build.evaluation(training, value=0.75),
            build.evaluation(training, value=0.9, n=50),
            build.evaluation(training, "lfc@4", value=0.5),
            build.evaluation(training, "lfc@8", value=0.625),
            build.evaluation(training, "hfc@8", value=math.nan),
            build.evaluation(training, "lfc@8", value=0.25, defence="jpeg"),
            build.evaluation(training, attack="fgsm", epsilon=0.03, value=0.5, n=30),
            build.evaluation(training, attack="pgd", epsilon=0.03, value=0.25, n=30),
        ],
        run_id,
    )
    tidy = store.components_against_original(parts=["lfc"])
    # The defended model has no score on originals to be held against.
    assert tidy[["component", "original", "value", "gap"]].to_numpy().tolist() == [
        ["lfc@4", 0.75, 0.5, 0.25],
        ["lfc@8", 0.75, 0.625, 0.125],
    ]
    wide = store.components_against_original(pivot=True)
    assert wide[["original", "lfc@4", "lfc@8"]].to_numpy().tolist() == [[0.75, 0.5, 0.625]]
    assert math.isnan(wide["hfc@8"].iloc[0])
    robust = store.robustness()
    assert robust[["attack", "clean", "value"]].to_numpy().tolist() == [
        ["fgsm", 0.75, 0.5],
        ["pgd", 0.75, 0.25],
    ]
    assert store.robustness(pivot=True)[["fgsm@0.03", "pgd@0.03"]].to_numpy().tolist() == [
        [0.5, 0.25]
    ]
    assert store.robustness(attacked_with=0.5).empty

"""The leaderboard frame: rows, columns, ranks, and what never ranks together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from hfcbench.errors import UsageError
from hfcbench.results.records import EvaluationRecord, TrainingRecord
from hfcbench.results.store import Store

Add = Callable[..., TrainingRecord]


@pytest.fixture
def add(store: Store, run_id: int, build: ModuleType) -> Add:
    """Add a training with the evaluations that a function makes of it."""

    def add_training(
        make: Callable[[TrainingRecord], Sequence[EvaluationRecord]] | float, **changes: Any
    ) -> TrainingRecord:
        training: TrainingRecord = build.training(**changes)
        store.add_training(training, run_id)
        if isinstance(make, float):
            records: Sequence[EvaluationRecord] = [build.evaluation(training, value=make)]
        else:
            records = make(training)
        store.add_evaluations(records, run_id)
        return training

    return add_training


@pytest.fixture
def measured(add: Add, build: ModuleType) -> TrainingRecord:
    """One training with components in no order, two attacks and a defence."""

    def records(training: TrainingRecord) -> list[EvaluationRecord]:
        values = {"hfc@12": 0.2, "lfc@12": 0.7, "lfc@4": 0.5, "original": 0.8, "hfc@4": 0.3}
        return [
            *(build.evaluation(training, name, value=value) for name, value in values.items()),
            build.evaluation(training, attack="pgd(steps=5)", epsilon=0.06, value=0.1, n=30),
            build.evaluation(training, attack="fgsm", epsilon=0.06, value=0.2, n=30),
            build.evaluation(training, attack="fgsm", epsilon=0.03, value=0.4, n=30),
            build.evaluation(training, attack="fgsm", epsilon=8 / 255, value=0.35, n=30),
            build.evaluation(training, "lfc@4", attack="fgsm", epsilon=0.03, value=0.05, n=30),
            build.evaluation(training, defence="jpeg(quality=80)", value=0.6),
        ]

    return add(records)


def test_one_row_per_training_and_defence(store: Store, measured: TrainingRecord) -> None:
    frame = store.leaderboard()
    first = len(frame.columns) - 3
    assert list(frame.columns)[:first] == [
        *("rank", "dataset", "fingerprint", "split"),
        *("decomposition", "decomposition_version", "rescaling", "n"),
        *("model", "heuristics", "trained_on", "defence", "seed", "epochs"),
        *("original", "original_low", "original_high"),
        *("lfc@4", "lfc@12", "hfc@4", "hfc@12"),
        *("fgsm@0.03", f"fgsm@{8 / 255!r}", "fgsm@0.06", "pgd(steps=5)@0.06"),
        *("lfc@4 under fgsm@0.03", "robust", "n_attacked"),
    ]
    plain, defended = frame.to_dict("records")
    assert (plain["dataset"], plain["fingerprint"]) == ("pets", "21b2eed1e328")
    assert (plain["decomposition"], plain["rescaling"], plain["n"]) == ("fft-radial", "none", 100)
    assert (plain["model"], plain["defence"], plain["seed"]) == ("resnet18", "none", 0)
    assert plain["training"] == measured.identity
    assert plain["original"] == 0.8
    assert plain["original_low"] == pytest.approx(0.7)
    assert plain["original_high"] == pytest.approx(0.9)
    assert [plain[name] for name in ("lfc@4", "lfc@12", "hfc@4", "hfc@12")] == [0.5, 0.7, 0.3, 0.2]
    assert [plain["fgsm@0.03"], plain["fgsm@0.06"], plain["pgd(steps=5)@0.06"]] == [0.4, 0.2, 0.1]
    assert plain["lfc@4 under fgsm@0.03"] == 0.05
    assert (plain["robust"], plain["n_attacked"]) == (0.1, 30)
    assert (defended["defence"], defended["original"]) == ("jpeg(quality=80)", 0.6)
    assert math.isnan(defended["robust"])
    assert math.isnan(defended["lfc@4"])
    assert defended["n_attacked"] == 0
    assert frame["rank"].tolist() == [1, 2]
    assert frame["rank"].dtype == "Int64"


def test_ties_share_a_rank(store: Store, add: Add) -> None:
    # 0.1 + 0.2 is not 0.3, but nobody can tell by looking.
    for seed, value in enumerate([0.3, 0.9, 0.1 + 0.2, 0.1]):
        add(value, seed=seed)
    frame = store.leaderboard()
    assert frame["rank"].tolist() == [1, 2, 2, 4]
    assert frame["seed"].tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_shown_and_never_ranks(store: Store, add: Add, value: float) -> None:
    for seed, original in enumerate([value, 0.5, 0.7]):
        add(original, seed=seed)
    for sort in ("original", "-original"):
        frame = store.leaderboard(sort=sort)
        assert pd.isna(frame["rank"].iloc[2])
        assert frame["seed"].iloc[2] == 0
        pd.testing.assert_series_equal(
            frame["original"].iloc[2:], pd.Series([value], [2], name="original")
        )
    assert frame["rank"].iloc[:2].tolist() == [2, 1]


def test_an_attack_without_a_number_leaves_robust_unknown(
    store: Store, add: Add, build: ModuleType
) -> None:
    add(
        lambda training: [
            build.evaluation(training),
            build.evaluation(training, attack="fgsm", epsilon=0.1, value=math.nan),
            build.evaluation(training, attack="fgsm", epsilon=0.2, value=0.3),
        ]
    )
    frame = store.leaderboard()
    assert math.isnan(frame["robust"].iloc[0])
    assert frame["fgsm@0.2"].iloc[0] == 0.3


def test_other_content_ranks_apart(store: Store, run_id: int, add: Add, build: ModuleType) -> None:
    store.add_dataset(build.dataset(fingerprint="f" * 64))
    add(0.5)
    add(0.6, dataset_fingerprint="f" * 64)
    frame = store.leaderboard()
    assert frame["rank"].tolist() == [1, 1]
    assert frame["fingerprint"].nunique() == 2
    assert len(store.leaderboard(fingerprint="fff")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"decomposition": "svd"},
        {"decomposition_version": "2"},
        {"rescaling": "max"},
        {"n": 50},
    ],
)
def test_other_components_rank_apart(
    store: Store, add: Add, build: ModuleType, changes: dict[str, Any]
) -> None:
    n = changes.get("n", 100)
    add(lambda one: [build.evaluation(one), build.evaluation(one, "lfc@8", value=0.1)])
    add(
        lambda one: [
            build.evaluation(one, n=n, value=0.9),
            build.evaluation(one, "lfc@8", value=0.9, **changes),
        ],
        seed=1,
    )
    frame = store.leaderboard()
    assert sorted(frame["seed"]) == [0, 1]
    assert frame["rank"].tolist() == [1, 1]
    # Each row holds its own components only.
    assert sorted(frame["lfc@8"]) == [0.1, 0.9]


def test_one_model_cut_in_two_ways_has_two_rows(store: Store, add: Add, build: ModuleType) -> None:
    add(
        lambda one: [
            build.evaluation(one, value=0.8),
            build.evaluation(one, "lfc@8", value=0.6),
            build.evaluation(one, "lfc@8", decomposition="svd", value=0.4),
            build.evaluation(one, "band@4-8", decomposition="fft-band", value=0.2),
        ]
    )
    frame = store.leaderboard().set_index("decomposition")
    assert frame["original"].to_dict() == dict.fromkeys(["fft-band", "fft-radial", "svd"], 0.8)
    assert frame["lfc@8"].dropna().to_dict() == {"fft-radial": 0.6, "svd": 0.4}
    assert frame["band@4-8"].dropna().to_dict() == {"fft-band": 0.2}
    only = store.leaderboard(decomposition="svd")
    assert only["lfc@8"].tolist() == [0.4]


def test_rows_without_components_rank_with_the_only_decomposition(
    store: Store, add: Add, build: ModuleType
) -> None:
    add(lambda one: [build.evaluation(one), build.evaluation(one, "lfc@8")])
    add(0.9, seed=1)
    frame = store.leaderboard()
    assert frame["rank"].tolist() == [1, 2]
    assert frame["decomposition"].tolist() == ["fft-radial"] * 2
    # With two of them there is no telling.
    add(lambda one: [build.evaluation(one, "lfc@8", decomposition="svd")], seed=2)
    assert store.leaderboard()["decomposition"].isna().sum() == 1


def test_attacks_on_other_numbers_of_images_rank_apart(
    store: Store, add: Add, build: ModuleType
) -> None:
    for seed, (n, robust) in enumerate([(30, 0.5), (100, 0.2), (100, 0.3)]):
        add(
            lambda one, n=n, robust=robust: [
                build.evaluation(one),
                build.evaluation(one, attack="fgsm", epsilon=0.1, value=robust, n=n),
            ],
            seed=seed,
        )
    assert store.leaderboard()["rank"].tolist() == [1, 1, 1]
    for sort in ("robust", "fgsm@0.1"):
        frame = store.leaderboard(sort=sort)
        ranks = dict(zip(frame["seed"], frame["rank"], strict=True))
        assert ranks == {0: 1, 1: 2, 2: 1}


def test_the_newest_of_equal_labels_is_shown(store: Store, add: Add, build: ModuleType) -> None:
    add(
        lambda one: [
            build.evaluation(one, value=0.2),
            build.evaluation(one, value=0.4, procedure="2"),
            build.evaluation(one, value=0.1, n=30),
        ]
    )
    frame = store.leaderboard()
    assert frame[["n", "original"]].to_numpy().tolist() == [[100, 0.4], [30, 0.1]]


def test_versions_of_an_attack_have_columns_of_their_own(
    store: Store, add: Add, build: ModuleType
) -> None:
    add(
        lambda one: [
            build.evaluation(one),
            build.evaluation(one, attack="fgsm", epsilon=0.1, value=0.3),
            build.evaluation(one, attack="fgsm", epsilon=0.1, value=0.2, attack_version="2"),
        ]
    )
    row = store.leaderboard().iloc[0]
    assert (row["fgsm v1@0.1"], row["fgsm v2@0.1"]) == (0.3, 0.2)


def test_the_newest_version_of_a_metric_counts(store: Store, add: Add, build: ModuleType) -> None:
    training = add(0.5)
    identity = build.evaluation(training).identity
    store.add_scores(identity, [build.score(0.7, version="10"), build.score(0.6, version="9")])
    assert store.leaderboard()["original"].tolist() == [0.7]


def test_losses_rank_the_other_way(store: Store, add: Add, build: ModuleType) -> None:
    for seed, loss in enumerate([2.0, 1.0]):
        add(
            lambda one, loss=loss: [
                build.evaluation(one, scores=[build.score(loss, metric="loss")]),
                *(
                    build.evaluation(
                        one,
                        attack="fgsm",
                        epsilon=epsilon,
                        scores=[build.score(loss + epsilon, metric="loss")],
                    )
                    for epsilon in (0.25, 0.5)
                ),
            ],
            seed=seed,
        )
    frame = store.leaderboard(metric="loss")
    assert frame["original"].tolist() == [1.0, 2.0]
    assert frame["rank"].tolist() == [1, 2]
    assert frame["robust"].tolist() == [1.5, 2.5]


def test_sorting(store: Store, add: Add, build: ModuleType) -> None:
    for model, original, low in (("b", 0.9, 0.1), ("a", 0.5, 0.3), ("c", 0.7, 0.2)):
        add(
            lambda one, original=original, low=low: [
                build.evaluation(one, value=original),
                build.evaluation(one, "lfc@8", value=low),
            ],
            model=model,
        )

    def order(sort: str) -> list[tuple[str, int]]:
        frame = store.leaderboard(sort=sort)
        return list(zip(frame["model"], frame["rank"], strict=True))

    assert order("original") == [("b", 1), ("c", 2), ("a", 3)]
    assert order("-original") == [("a", 3), ("c", 2), ("b", 1)]
    assert order("lfc@8") == [("a", 1), ("c", 2), ("b", 3)]
    assert order("model") == [("a", 3), ("b", 1), ("c", 2)]
    assert order("-model") == [("c", 2), ("b", 1), ("a", 3)]
    with pytest.raises(UsageError, match=r"no column 'lfc@9' to sort by; did you mean 'lfc@8'"):
        store.leaderboard(sort="lfc@9")


def test_filters(store: Store, add: Add) -> None:
    first = add(0.1, model="resnet18", heuristics="batchnorm+mixup(alpha=0.5, beta=1)")
    add(0.2, model="resnet18(width=16)", heuristics="mixup")
    add(0.3, model="lenet5")

    def found(**filters: Any) -> list[float]:
        return sorted(store.leaderboard(**filters)["original"])

    assert found(model="resnet18") == [0.1, 0.2]
    assert found(model="18") == []
    assert found(heuristic="mixup") == [0.1, 0.2]
    assert found(heuristic="mixup(alpha=0.5, beta=1)") == [0.1]
    assert found(heuristic="batchnorm", model="lenet") == []
    assert found(heuristic="vanilla") == [0.3]
    assert found(trainings=[first.identity, "0" * 64]) == [0.1]
    assert found(trainings=[]) == []
    assert found(dataset="pets", defence="none", trained_on="original", split="test") == [
        *(0.1, 0.2, 0.3)
    ]
    assert found(dataset="birds") == []
    assert found(model=None, trainings=None) == [0.1, 0.2, 0.3]
    # Signs that mean something in SQL patterns mean nothing here.
    assert found(model="%") == []


def test_a_defence_with_or_without_its_parameters(store: Store, measured: TrainingRecord) -> None:
    for defence in ("jpeg", "jpeg(quality=80)"):
        assert store.leaderboard(defence=defence)["original"].tolist() == [0.6]
    assert store.leaderboard(defence="jp").empty


def test_one_cutoff(store: Store, measured: TrainingRecord) -> None:
    frame = store.leaderboard(cutoff=4)
    assert [name for name in frame.columns if name.startswith(("lfc@", "hfc@"))] == [
        *("lfc@4", "hfc@4", "lfc@4 under fgsm@0.03")
    ]


def test_groups_are_means_over_complete_rows(store: Store, add: Add, build: ModuleType) -> None:
    for seed, value in enumerate([0.2, 0.6]):
        add(
            lambda one, seed=seed, value=value: [
                build.evaluation(one, value=value),
                build.evaluation(one, "lfc@8", value=value / 2),
                *([build.evaluation(one, "hfc@8")] if seed else []),
            ],
            seed=seed,
        )
    add(0.5, model="lenet5")
    frame = store.leaderboard(group="model")
    assert frame["model"].tolist() == ["lenet5", "resnet18"]
    assert frame["rows"].tolist() == [1, 2]
    assert frame["rank"].tolist() == [1, 2]
    mean = frame.iloc[1]
    assert mean["original"] == pytest.approx(0.4)
    assert mean["lfc@8"] == pytest.approx(0.2)
    assert math.isnan(mean["hfc@8"])
    assert math.isnan(mean["original_low"])
    assert (mean["seed"], mean["training"], mean["heuristics"]) == ("*", "*", "vanilla")
    for group in ("modle", "original"):
        with pytest.raises(UsageError, match=f"cannot be grouped by '{group}'"):
            store.leaderboard(group=group)


def test_an_empty_database_has_an_empty_leaderboard(store: Store) -> None:
    for arguments in ({}, {"group": "model"}, {"sort": "lfc@8"}, {"cutoff": 4.0}):
        frame = store.leaderboard(**arguments)
        assert frame.empty
        assert {"rank", "dataset", "model", "original", "robust"} <= set(frame.columns)

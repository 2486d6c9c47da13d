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
    frame = store.leaderboard().frame
    first = len(frame.columns) - 3
    assert list(frame.columns)[:first] == [
        *("rank", "dataset", "fingerprint", "scale", "split", "procedure", "n"),
        *("model", "heuristics", "trained_on", "defence", "seed", "epochs"),
        *("original", "original_low", "original_high"),
        *("lfc@4", "lfc@12", "hfc@4", "hfc@12"),
        *("fgsm@0.03", f"fgsm@{8 / 255!r}", "fgsm@0.06", "pgd(steps=5)@0.06"),
        *("lfc@4 under fgsm@0.03", "robust", "n_attacked", "flags"),
    ]
    plain, defended = frame.to_dict("records")
    assert (plain["dataset"], plain["fingerprint"]) == ("pets", "21b2eed1e328")
    assert (plain["scale"], plain["split"], plain["n"]) == ("full", "test", 100)
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
    frame = store.leaderboard().frame
    assert frame["rank"].tolist() == [1, 2, 2, 4]
    assert frame["seed"].tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_shown_and_never_ranks(store: Store, add: Add, value: float) -> None:
    for seed, original in enumerate([value, 0.5, 0.7]):
        add(original, seed=seed)
    for sort in ("original", "-original"):
        frame = store.leaderboard(sort=sort).frame
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
    frame = store.leaderboard().frame
    assert math.isnan(frame["robust"].iloc[0])
    assert frame["fgsm@0.2"].iloc[0] == 0.3


def test_other_content_ranks_apart(store: Store, run_id: int, add: Add, build: ModuleType) -> None:
    store.add_dataset(build.dataset(fingerprint="f" * 64))
    add(0.5)
    add(0.6, dataset_fingerprint="f" * 64)
    frame = store.leaderboard().frame
    assert frame["rank"].tolist() == [1, 1]
    assert frame["fingerprint"].nunique() == 2
    assert len(store.leaderboard(fingerprint="fff").frame) == 1


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"decomposition": "svd"}, ["lfc@8 [fft-radial, none]", "lfc@8 [svd, none]"]),
        (
            {"decomposition_version": "2"},
            ["lfc@8 [fft-radial v1, none]", "lfc@8 [fft-radial v2, none]"],
        ),
        ({"rescaling": "max"}, ["lfc@8 [fft-radial, max]", "lfc@8 [fft-radial, none]"]),
    ],
)
def test_components_that_were_cut_otherwise_have_a_column_and_a_ranking_of_their_own(
    store: Store, add: Add, build: ModuleType, changes: dict[str, Any], columns: list[str]
) -> None:
    for seed, cut in enumerate(({}, changes)):
        add(
            lambda one, seed=seed, cut=cut: [
                build.evaluation(one, value=0.5 + seed / 10),
                build.evaluation(one, "lfc@8", value=0.1 + seed / 10, **cut),
            ],
            seed=seed,
        )
    board = store.leaderboard()
    assert [name for name in board.frame if name.startswith("lfc@")] == columns
    assert {name: item.rescaling for name, item in board.conditions.items() if "lfc" in name} == {
        name: name[:-1].rpartition(" ")[2] for name in columns
    }
    # Originals are the same images for both; their components are not.
    assert board.frame["rank"].tolist() == [1, 2]
    for column in columns:
        frame = store.leaderboard(sort=column).frame
        assert frame["rank"].fillna(0).tolist() == [1, 0]
        assert frame[column].notna().tolist() == [True, False]
    with_changes = store.leaderboard(
        decomposition=changes.get("decomposition", "fft-radial"),
        rescaling=changes.get("rescaling", "none"),
    ).frame
    assert len(with_changes) == 2


def test_other_numbers_of_images_rank_apart(store: Store, add: Add, build: ModuleType) -> None:
    add(lambda one: [build.evaluation(one), build.evaluation(one, "lfc@8", value=0.1)])
    add(
        lambda one: [
            build.evaluation(one, n=50, value=0.9),
            build.evaluation(one, "lfc@8", value=0.9, n=50),
        ],
        seed=1,
    )
    board = store.leaderboard()
    assert board.frame["n"].tolist() == [100, 50]
    assert board.frame["rank"].tolist() == [1, 1]
    assert board.frame["lfc@8"].tolist() == [0.1, 0.9]
    assert any("2 rankings that do not compare" in str(item) for item in board.left_out)


def test_a_shrunk_study_ranks_apart(store: Store, add: Add, build: ModuleType) -> None:
    add(0.5)
    specification = {**build.training(seed=1).specification, "scale": "quick"}
    add(0.9, seed=1, specification=specification, identity=build.identity_of(specification))
    board = store.leaderboard()
    assert board.frame[["scale", "rank"]].to_numpy().tolist() == [["full", 1], ["quick", 1]]
    assert store.leaderboard(scale="quick").frame["original"].tolist() == [0.9]


def test_another_evaluation_procedure_ranks_apart(
    store: Store, add: Add, build: ModuleType
) -> None:
    add(0.5)
    add(lambda one: [build.evaluation(one, value=0.9, procedure="2")], seed=1)
    assert store.leaderboard().frame[["procedure", "rank"]].to_numpy().tolist() == [
        ["1", 1],
        ["2", 1],
    ]


def test_what_is_left_out_is_said(store: Store, add: Add, build: ModuleType) -> None:
    for seed in range(3):
        add(
            lambda one, seed=seed: [
                build.evaluation(one, value=math.nan if seed == 2 else 0.5),
                build.evaluation(one, "lfc@8", value=0.25),
                build.evaluation(one, "lfc@8", value=0.25, decomposition="svd"),
                build.evaluation(one, "lfc@4", value=0.25),
            ],
            seed=seed,
        )
    training = build.training()
    store.add_scores(build.evaluation(training).identity, [build.score(0.7, version="0")])
    board = store.leaderboard(limit=1, columns="main")
    assert [str(item) for item in board.left_out] == [
        "2 rows beyond the limit",
        "1 rows without a rank: no finite score in column 'original'",
        "1 scores of older versions of metric 'top1'",
        "1 conditions of svd (version 1, rescaling none)",
    ]
    assert len(board.frame) == 1
    assert [name for name in board.frame if "lfc" in name] == ["lfc@4"]


def test_a_limit_changes_no_rank(store: Store, add: Add) -> None:
    for seed in range(9):
        add(0.1 * seed, seed=seed)
    every = store.leaderboard(limit=None).frame
    assert every["rank"].tolist() == list(range(1, 10))
    pd.testing.assert_frame_equal(store.leaderboard(limit=4).frame, every.iloc[:4])


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
    assert store.leaderboard().frame["rank"].tolist() == [1, 1, 1]
    for sort in ("robust", "fgsm@0.1"):
        frame = store.leaderboard(sort=sort).frame
        ranks = dict(zip(frame["seed"], frame["rank"], strict=True))
        assert ranks == {0: 1, 1: 2, 2: 1}


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
    row = store.leaderboard().frame.iloc[0]
    assert (row["fgsm v1@0.1"], row["fgsm v2@0.1"]) == (0.3, 0.2)


def test_the_newest_version_of_a_metric_counts(store: Store, add: Add, build: ModuleType) -> None:
    training = add(0.5)
    identity = build.evaluation(training).identity
    store.add_scores(identity, [build.score(0.7, version="10"), build.score(0.6, version="9")])
    assert store.leaderboard().frame["original"].tolist() == [0.7]


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
    frame = store.leaderboard(metric="loss").frame
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
        frame = store.leaderboard(sort=sort).frame
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
        return sorted(store.leaderboard(**filters).frame["original"])

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
        assert store.leaderboard(defence=defence).frame["original"].tolist() == [0.6]
    assert store.leaderboard(defence="jp").frame.empty


def test_one_cutoff(store: Store, measured: TrainingRecord) -> None:
    frame = store.leaderboard(cutoff=4).frame
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
    frame = store.leaderboard(group="model").frame
    assert frame["model"].tolist() == ["lenet5", "resnet18"]
    assert frame["rows"].tolist() == [1, 2]
    assert frame["rank"].tolist() == [1, 2]
    mean = frame.iloc[1]
    assert mean["original"] == pytest.approx(0.4)
    assert mean["lfc@8"] == pytest.approx(0.2)
    assert math.isnan(mean["hfc@8"])
    # Student's t for one degree of freedom is 12.7062 at 97.5%; the standard error is 0.2.
    assert mean["original_low"] == pytest.approx(0.4 - 12.7062 * 0.2, abs=1e-4)
    assert mean["original sd"] == pytest.approx(0.2 * math.sqrt(2))
    assert math.isnan(frame["original_low"].iloc[0])
    assert (mean["seed"], mean["training"], mean["heuristics"]) == ("*", "*", "vanilla")
    for group in ("modle", "original"):
        with pytest.raises(UsageError, match=f"cannot be grouped by '{group}'"):
            store.leaderboard(group=group)


def test_seeds_give_mean_and_spread(store: Store, add: Add, build: ModuleType) -> None:
    for seed, value in enumerate([0.5, 0.6, 0.7]):
        add(
            lambda one, value=value: [
                build.evaluation(one, value=value),
                build.evaluation(one, defence="jpeg", value=value - 0.1),
            ],
            seed=seed,
        )
    add(0.65, model="lenet5")
    frame = store.leaderboard(group="configuration").frame
    assert frame["model"].tolist() == ["lenet5", "resnet18", "resnet18"]
    assert frame["defence"].tolist() == ["none", "none", "jpeg"]
    assert frame["seed"].tolist() == [0, "*", "*"]
    assert frame["rows"].tolist() == [1, 3, 3]
    assert frame["original"].tolist() == pytest.approx([0.65, 0.6, 0.5])
    assert frame["original sd"].tolist() == pytest.approx([math.nan, 0.1, 0.1], nan_ok=True)


def test_an_empty_database_has_an_empty_leaderboard(store: Store) -> None:
    for arguments in ({}, {"group": "model"}, {"sort": "lfc@8"}, {"cutoff": 4.0}):
        frame = store.leaderboard(**arguments).frame
        assert frame.empty
        assert {"rank", "dataset", "model", "original", "robust"} <= set(frame.columns)


def test_intervals_of_every_column(
    add_attacked: Any, store: Store, run_id: int, build: Any
) -> None:
    training = add_attacked(
        {"attack": "pgd", "value": 0.25}, {"attack": "fgsm", "value": 0.5}, clean=0.75
    )
    store.add_evaluations([build.evaluation(training, "lfc@8", value=0.625)], run_id)
    frame = store.leaderboard(intervals=True).frame
    row = frame.to_dict("records")[0]
    # The records' intervals reach 0.1 to both sides.
    for name, value in (("original", 0.75), ("lfc@8", 0.625), ("pgd@0.03", 0.25), ("robust", 0.25)):
        assert row[name] == value
        ends = row[f"{name}_low"], row[f"{name}_high"]
        assert ends == pytest.approx((value - 0.1, value + 0.1))
    columns = list(frame.columns)
    assert columns.index("lfc@8_low") == columns.index("lfc@8") + 1
    without = store.leaderboard().frame
    assert list(without.columns) == [
        name
        for name in columns
        if name.startswith("original") or not name.endswith(("_low", "_high"))
    ]
    with pytest.raises(UsageError, match="means over a group have no intervals"):
        store.leaderboard(intervals=True, group="configuration")

"""Scores under attack in frames and views: how they were searched for, flags, and filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hfcbench.attack_types import Search
from hfcbench.errors import UsageError
from hfcbench.reliability_checks import Check
from hfcbench.results.queries.where import Where
from hfcbench.results.records import TrainingRecord
from hfcbench.results.store import Store
from hfcbench.types import Predictions

Add = Callable[..., TrainingRecord]

JPEG = {"defence": "jpeg"}
OBLIVIOUS = Search("worst-case", "oblivious", "bfloat16", (0.01, 0.02))
FLAGGED = (Check("vanishing-gradients", 0.5, 0.1, 50), Check("full-range", 0.9, 0.25, 50))


@pytest.fixture
def training(add_attacked: Add) -> TrainingRecord:
    """Adaptive, in transfer, oblivious with flags; in the other norm; a single step."""
    return add_attacked(
        {"value": 0.3, **JPEG},
        {"value": 0.5, "search": Search("full", "transfer"), **JPEG},
        {"value": 0.7, "search": OBLIVIOUS, "checks": FLAGGED, **JPEG},
        {"value": 0.4, "attack": "pgd(norm=l2)", "epsilon": 0.5, "attack_norm": "l2"},
        {"value": 0.6, "attack": "fgsm", "search": Search("exact")},
    )


def values(store: Store, **filters: Any) -> list[float]:
    frame = store.evaluations(**filters)
    return sorted(frame[frame["attack"] != "none"]["value"])


def test_a_score_says_how_its_images_were_searched_for(
    store: Store, training: TrainingRecord
) -> None:
    frame = store.evaluations(defence="jpeg").set_index("value")
    columns = ["attack_norm", "criterion", "attack_mode", "attack_precision", "smaller_epsilons"]
    assert frame.loc[0.7, columns].tolist() == [
        *("linf", "worst-case", "oblivious", "bfloat16", "0.01,0.02")
    ]
    assert frame.loc[0.5, columns[:4]].tolist() == ["linf", "full", "transfer", "float32"]
    assert frame["smaller_epsilons"].isna().sum() == 3
    assert frame.loc[0.9, columns].isna().all()
    assert frame["flags"].to_dict() == {
        0.9: "",
        0.3: "",
        0.5: "",
        0.7: "vanishing-gradients, full-range, transfer",
    }


def test_views_say_the_same(store: Store, training: TrainingRecord) -> None:
    for view, value in (("results", "value"), ("robustness", "accuracy")):
        _, rows = store.query(
            f"SELECT {value}, attack_norm, criterion, attack_mode, attack_precision, "
            f"smaller_epsilons, flags FROM {view} WHERE attack <> 'none' ORDER BY {value}"
        )
        assert rows == [
            (0.3, "linf", "worst-case", "adaptive", "float32", None, 0),
            (0.4, "l2", "worst-case", "adaptive", "float32", None, 0),
            (0.5, "linf", "full", "transfer", "float32", None, 0),
            (0.6, "linf", "exact", "adaptive", "float32", None, 0),
            # Contradictions between rows are not measured, and not counted here.
            (0.7, "linf", "worst-case", "oblivious", "bfloat16", "0.01,0.02", 2),
        ]
    _, rows = store.query("SELECT defence, robust, flags FROM leaderboard ORDER BY defence")
    assert rows == [("jpeg", 0.3, 2), ("none", 0.4, 0)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"attack_mode": "adaptive"}, [0.3, 0.4, 0.6]),
        ({"attack_mode": ["transfer", "oblivious"]}, [0.5, 0.7]),
        ({"criterion": "worst-case"}, [0.3, 0.4, 0.7]),
        ({"criterion": ("exact", "full")}, [0.5, 0.6]),
        ({"attack_norm": "l2"}, [0.4]),
        ({"flagged": True}, [0.7]),
        ({"flagged": False}, [0.3, 0.4, 0.5, 0.6]),
        ({"flagged": True, "attack_mode": "adaptive"}, []),
        ({"where": Where(attack_mode="transfer") | Where(attack_norm="l2")}, [0.4, 0.5]),
    ],
)
def test_filters_of_attacks(
    store: Store, training: TrainingRecord, filters: dict[str, Any], expected: list[float]
) -> None:
    assert values(store, **filters) == expected


def test_clean_scores_belong_to_every_search(store: Store, training: TrainingRecord) -> None:
    frame = store.evaluations(attack_mode="transfer", criterion="full", attack_norm="linf")
    assert sorted(frame["value"]) == [0.5, 0.9, 0.9]
    # They are no flagged ones, though, and are none in doubt.
    assert set(store.evaluations(flagged=False, attack="none")["value"]) == {0.9}
    assert store.evaluations(flagged=True, attack="none").empty


def test_the_leaderboard_takes_them(store: Store, training: TrainingRecord) -> None:
    board = store.leaderboard(attack_mode="adaptive", attack_norm="linf").frame.set_index("defence")
    names = [name for name in board if "@" in name]
    assert names == ["fgsm@0.03", "pgd@0.03"]
    everything = store.leaderboard().frame
    # An attack that knows everything comes before those that do not.
    assert [name for name in everything if "@" in name] == [
        *("fgsm@0.03", "pgd@0.03", "oblivious pgd@0.03", "transfer pgd@0.03"),
        "pgd(norm=l2)@0.5",
    ]


def test_how_much_is_left_under_each_attack(store: Store, training: TrainingRecord) -> None:
    tidy = store.robustness(defence="jpeg").set_index("attack_mode")
    assert tidy["value"].to_dict() == {"adaptive": 0.3, "transfer": 0.5, "oblivious": 0.7}
    assert tidy["flags"].to_dict() == {
        "adaptive": "",
        "transfer": "",
        "oblivious": "vanishing-gradients, full-range, transfer",
    }
    assert tidy.loc["oblivious", "smaller_epsilons"] == "0.01,0.02"
    # Modes are not mixed, and none stands for another.
    (wide,) = store.robustness(defence="jpeg", pivot=True).to_dict("records")
    assert (wide["pgd@0.03"], wide["transfer pgd@0.03"], wide["oblivious pgd@0.03"]) == (
        *(0.3, 0.5, 0.7),
    )
    adaptive = store.robustness(attack="pgd", attacked_with=0.03, attack_mode="adaptive")
    assert adaptive["value"].tolist() == [0.3]


@pytest.fixture
def answered(store: Store, run_id: int, build: ModuleType) -> Callable[..., None]:
    """Add a training whose evaluations, clean and attacked, are wrong on some of ten images."""

    def add(*attacked: dict[str, Any]) -> None:
        training = build.training()
        store.add_training(training, run_id)
        labels, flat = np.arange(10) % 7, np.full(10, 0.5, np.float32)
        records = []
        for one in ({"wrong": ()}, *attacked):
            condition = {key: value for key, value in one.items() if key != "wrong"}
            right = ~np.isin(np.arange(10), one["wrong"])
            answers = Predictions(labels, np.where(right, labels, labels + 1), flat, flat)
            record = build.evaluation(training, n=10, value=right.mean(), **condition)
            records.append(replace(record, predictions=answers))
        store.add_evaluations(records, run_id)

    return add


def test_robust_accuracy_tells_what_casts_doubt_on_it(
    store: Store, answered: Callable[..., None]
) -> None:
    answered(
        {"wrong": (1,), "attack": "pgd", "epsilon": 0.03, "checks": FLAGGED},
        {"wrong": (2, 3), "attack": "noise", "epsilon": 0.03},
        {"wrong": range(10), "attack": "pgd", "epsilon": 0.06},
    )
    frame = store.robust_accuracy(attacked_with=0.03)
    assert frame[["value", "flags"]].to_numpy().tolist() == [
        [0.7, "vanishing-gradients, full-range"]
    ]


def test_epsilons_of_two_norms_have_no_robust_accuracy_together(
    store: Store, answered: Callable[..., None]
) -> None:
    answered(
        {"wrong": (1,), "attack": "pgd", "epsilon": 0.03},
        {"wrong": (2, 3), "attack": "pgd(norm=l2)", "epsilon": 0.5, "attack_norm": "l2"},
    )
    assert store.robust_accuracy(attacked_with=0.03)["value"].tolist() == [0.9]
    with pytest.raises(UsageError, match=r"up to 0.5 are of several norms: l2, linf"):
        store.robust_accuracy(attacked_with=0.5)
    for norm, value in (("l2", 0.8), ("linf", 0.9)):
        frame = store.robust_accuracy(attacked_with=0.5, attack_norm=norm)
        assert frame["value"].tolist() == [value]


def test_checks_of_an_evaluation_are_told(store: Store, training: TrainingRecord) -> None:
    frame = store.evaluations(attack_mode="oblivious", flagged=True)
    finding = store.provenance(frame["evaluation"].iloc[0]).finding
    assert finding is not None
    assert list(finding.checks) == [
        {"name": "full-range", "value": 0.9, "threshold": 0.25, "flagged": True, "n": 50},
        {"name": "vanishing-gradients", "value": 0.5, "threshold": 0.1, "flagged": True, "n": 50},
    ]
    names = [row["condition"] for row in store.provenance(training.identity).evaluations]
    assert names == [
        "original with jpeg",
        "original",
        "original under pgd@0.03 with jpeg [worst-case]",
        "original under pgd@0.03 with jpeg [transfer, full]",
        "original under pgd@0.03 with jpeg [oblivious, worst-case after 0.01,0.02, bfloat16]",
        "original under pgd(norm=l2)@0.5 [worst-case]",
        "original under fgsm@0.03",
    ]

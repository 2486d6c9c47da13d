"""Accuracy against robust accuracy from stored predictions, by hand."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hfcbench.attack_types import Search
from hfcbench.errors import UsageError
from hfcbench.reliability_checks import Check
from hfcbench.results.records import EvaluationRecord, TrainingRecord
from hfcbench.results.store import Store
from hfcbench.sampling import chosen_images
from hfcbench.types import Predictions

Model = Callable[..., TrainingRecord]
PGD = {"attack": "pgd", "epsilon": 0.03}
FGSM = {"attack": "fgsm", "epsilon": 0.03}
L2 = {"attack": "pgd(norm=l2)", "attack_norm": "l2"}
TRANSFER = {"count": 30, **PGD, "search": Search("full", "transfer")}


@pytest.fixture
def model(store: Store, run_id: int, build: ModuleType) -> Model:
    """Add a model that is right on so many of 100 images."""

    def add(
        clean: int,
        robust: int | None = None,
        lfc: int | None = None,
        *,
        defence: str = "none",
        checks: tuple[Check, ...] = (),
        more: tuple[dict[str, Any], ...] = (),
        **changes: Any,
    ) -> TrainingRecord:
        training: TrainingRecord = build.training(**changes)
        store.add_training(training, run_id)

        def right(count: int, **condition: Any) -> EvaluationRecord:
            made: EvaluationRecord = build.answered(
                training, range(count, 100), **{"defence": defence} | condition
            )
            return made

        records = [right(clean)]
        if robust is not None:
            records.append(right(robust, checks=checks, **PGD))
        if lfc is not None:
            records.append(right(lfc, component="lfc@8"))
        records += [right(**condition) for condition in more]
        store.add_evaluations(records, run_id)
        return training

    return add


def by_seed(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """Values of some columns, in the order of the seeds."""
    rows: list[list[Any]] = frame.sort_values("seed")[list(columns)].to_numpy().tolist()
    return rows


def test_every_number_of_a_row(store: Store, run_id: int, build: ModuleType) -> None:
    training = build.training()
    store.add_training(training, run_id)
    image = chosen_images(100, 40).tolist()
    elsewhere = sorted(set(range(100)) - set(image))
    store.add_evaluations(
        [
            # One of the attacked images is wrong when clean, and nine of the others are.
            build.answered(training, {image[0], *elsewhere[:9]}),
            build.answered(training, set(range(30)), component="lfc@4"),
            build.answered(training, set(range(40)), component="lfc@8"),
            build.answered(training, set(range(50)), component="lfc@12"),
            build.answered(training, set(image[:3]), n=40, **FGSM),
            build.answered(training, set(image[2:7]), n=40, **PGD),
            build.answered(training, {image[7]}, n=40, epsilon=0.02, **L2),
            # Beyond the ball, behind a component.
            build.answered(training, set(image), n=40, attack="pgd", epsilon=0.06),
            build.answered(training, set(image), n=40, component="lfc@8", **PGD),
        ],
        run_id,
    )
    found = store.tradeoff()
    (row,) = found.frame.to_dict("records")
    assert (found.epsilon, row["epsilon"]) == (0.03, 0.03)
    assert (row["dataset"], row["fingerprint"], row["scale"]) == ("pets", "21b2eed1e328", "full")
    assert (row["n"], row["n_attacked"], row["split"], row["defence"]) == (100, 40, "test", "none")
    # 32 of 40 are left; of the 39 that were right when clean, seven are lost.
    assert (row["clean"], row["lfc"], row["robust"]) == (0.9, 0.6, 0.8)
    assert row["gap"] == pytest.approx(7 / 40)
    assert (row["component"], row["decomposition"], row["rescaling"]) == (
        "lfc@8",
        "fft-radial",
        "none",
    )
    assert row["attacked_by"] == "fgsm@0.03, pgd@0.03, pgd(norm=l2)@0.02"
    assert (row["front"], row["three_way_front"], row["flags"]) == ("alone", "alone", "")
    assert (row["seed"], row["training"]) == (0, training.identity)
    assert found.left_out == ()
    # Wilson's intervals of 90 of 100, 60 of 100 and 32 of 40.
    for name, low, high in (
        ("clean", 0.8256, 0.9448),
        ("lfc", 0.5020, 0.6906),
        ("robust", 0.6524, 0.8950),
    ):
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx((low, high), abs=1e-4)
    assert store.tradeoff(cutoff=4).frame["lfc"].tolist() == [0.7]
    assert store.tradeoff(epsilon=0.06).frame["robust"].tolist() == [0.0]


def test_fronts_of_two_and_of_three(store: Store, model: Model) -> None:
    model(90, 20, 60, seed=0)
    model(80, 40, 50, seed=1)
    # Beaten by seed 1 in two, but best on LFCs; the next one is beaten in all.
    model(70, 30, 80, seed=2)
    model(70, 30, 40, seed=3)
    # As good as seed 1 when clean and attacked, worse on LFCs.
    model(80, 40, 45, seed=4)
    # Without LFCs it is on a front of two only.
    model(60, 50, seed=5)
    frame = store.tradeoff().frame
    assert by_seed(frame, "front", "three_way_front") == [
        ["yes", "yes"],
        ["yes", "yes"],
        ["no", "yes"],
        ["no", "no"],
        ["yes", "no"],
        ["yes", "unknown"],
    ]
    assert set(frame["group"]) == {1}
    # The most accurate first, and of those the most robust.
    assert frame["seed"].tolist() == [0, 1, 4, 2, 3, 5]


def test_only_what_compares_is_compared(
    store: Store, model: Model, run_id: int, build: ModuleType
) -> None:
    model(50, 40, seed=0)
    model(45, 42, seed=1)
    # Each beats both, and is of something else.
    shrunk = {"kind": "training", "scale": "quick", "seed": 2}
    model(90, 80, seed=2, specification=shrunk, identity=build.identity_of(shrunk))
    model(90, 80, seed=3, more=({"count": 80, **FGSM},))
    other = hashlib.sha256(b"other images").hexdigest()
    store.add_dataset(build.dataset(fingerprint=other))
    model(90, 80, seed=4, dataset_fingerprint=other)
    fewer = build.training(seed=5)
    store.add_training(fewer, run_id)
    newer = build.training(seed=6)
    store.add_training(newer, run_id)
    store.add_evaluations(
        [
            build.answered(fewer, set()),
            build.answered(fewer, set(), n=40, **PGD),
            build.answered(newer, set(), procedure="2"),
            build.answered(newer, set(), procedure="2", **PGD),
        ],
        run_id,
    )
    frame = store.tradeoff().frame
    assert by_seed(frame, "front") == [["yes"], ["yes"], *[["alone"]] * 5]
    assert len(set(frame["group"])) == 6
    assert frame["group"].tolist() == sorted(frame["group"])
    faced = dict(by_seed(frame, "seed", "attacked_by"))
    assert (faced[0], faced[3]) == ("pgd@0.03", "fgsm@0.03, pgd@0.03")


def test_other_versions_and_searches_are_other_attacks(store: Store, model: Model) -> None:
    model(90, seed=0, more=({"count": 40, **PGD, "search": Search("full")},))
    model(90, seed=1, more=({"count": 40, **PGD, "search": Search("worst-case")},))
    model(90, seed=2, more=({"count": 40, **FGSM, "attack_version": "1"},))
    model(90, seed=3, more=({"count": 40, **FGSM, "attack_version": "2"},))
    frame = store.tradeoff().frame
    assert by_seed(frame, "attacked_by", "front") == [
        ["pgd@0.03 [full]", "alone"],
        ["pgd@0.03 [worst-case]", "alone"],
        ["fgsm v1@0.03", "alone"],
        ["fgsm v2@0.03", "alone"],
    ]


def test_undefended_models_faced_every_mode(store: Store, model: Model) -> None:
    model(90, 30, seed=0)
    model(80, 40, seed=1, defence="jpeg", more=({**TRANSFER, "count": 40},))
    # This one might have fallen, had it been given those images.
    model(85, 50, seed=2, defence="jpeg")
    frame = store.tradeoff().frame
    assert by_seed(frame, "robust", "attacked_by", "front") == [
        [0.3, "pgd@0.03", "yes"],
        [0.4, "pgd@0.03, transfer pgd@0.03", "yes"],
        [0.5, "pgd@0.03", "alone"],
    ]
    # Without the second there are no modes, and the other two compare.
    frame = store.tradeoff(seed=[0, 2]).frame
    assert by_seed(frame, "front") == [["yes"], ["yes"]]


def test_doubtful_scores_are_shown_and_beat_nobody(store: Store, model: Model) -> None:
    model(60, 30, 50, seed=0)
    model(90, 60, 70, seed=1, checks=(Check("full-range", 0.5, 0.2, 50),))
    model(50, 40, 40, seed=2, checks=(Check("full-range", 0.1, 0.2, 50),))
    frame = store.tradeoff().frame
    assert by_seed(frame, "robust", "front", "three_way_front", "flags") == [
        [0.3, "yes", "yes", ""],
        [0.6, "flagged", "flagged", "pgd@0.03: full-range"],
        [0.4, "yes", "yes", ""],
    ]


GRADIENTS = Check("vanishing-gradients", 0.0, 0.1, 50)
MORE_STEPS = (GRADIENTS, Check("more-steps", 0.1, 0.02, 25))
ANSWERED = {"count": 20, "attack": "pgd(steps=100)", "epsilon": 0.03, "checks": (GRADIENTS,)}
BOTH = "pgd@0.03: more-steps; pgd(steps=100)@0.03: more-steps"


@pytest.mark.parametrize(
    ("other", "left"),
    [
        # The flag 'stronger-row' of pgd is answered wherever there is the other row.
        (ANSWERED, ""),
        ({**ANSWERED, "checks": MORE_STEPS}, BOTH),
        ({**ANSWERED, "count": 40}, "pgd@0.03: more-steps"),
        ({**ANSWERED, "epsilon": 0.02}, "pgd@0.03: more-steps"),
        ({**ANSWERED, "attack": "pgd(steps=100, norm=l2)"}, "pgd@0.03: more-steps"),
        ({**ANSWERED, "attack": "fgsm"}, "pgd@0.03: more-steps"),
    ],
)
def test_what_a_worst_case_answers_is_no_doubt(
    store: Store, model: Model, other: dict[str, Any], left: str
) -> None:
    model(90, 30, checks=MORE_STEPS, more=(other,))
    (row,) = store.tradeoff(epsilon=0.03).frame.to_dict("records")
    assert row["robust"] == min(0.3, other["count"] / 100)
    assert row["flags"] == left
    assert row["front"] == ("flagged" if left else "alone")


def test_adaptive_attacks_answer_for_transferred_ones_not_the_other_way(
    store: Store, model: Model
) -> None:
    model(90, 30, seed=0, checks=(GRADIENTS,), more=({**TRANSFER, "checks": MORE_STEPS},))
    model(90, 30, seed=1, checks=MORE_STEPS, more=({**TRANSFER, "checks": (GRADIENTS,)},))
    frame = store.tradeoff().frame
    assert by_seed(frame, "flags") == [[""], ["pgd@0.03: more-steps"]]


def test_black_box_doubts_stay(store: Store, model: Model) -> None:
    # The attack of fewer images broken looked at gradients, the other one at answers alone.
    answers = (Check("full-range", 0.0, 0.2, 50),)
    model(
        90, 60, checks=(GRADIENTS,),
        more=({"count": 50, "attack": "square", "epsilon": 0.03, "checks": answers},),
    )  # fmt: skip
    (row,) = store.tradeoff().frame.to_dict("records")
    assert (row["robust"], row["flags"], row["front"]) == (0.5, "pgd@0.03: black-box", "flagged")


def test_means_over_seeds(store: Store, model: Model, build: ModuleType) -> None:
    for seed, clean, robust, lfc in ((0, 80, 30, 60), (1, 90, 40, 50), (2, 70, 20, 70)):
        model(clean, robust, lfc, seed=seed)
    # Two that agree in their mean, but for its last bits; one of them lacks a value.
    model(79, 31, 60, seed=0, model="lenet5")
    model(81, 29, seed=1, model="lenet5")
    model(75, 31, 60, seed=0, model="vgg11", checks=(Check("full-range", 0.5, 0.2, 50),))
    model(75, 31, 60, seed=1, model="vgg11")
    frame = store.tradeoff(group="configuration").frame.set_index("model")
    resnet, lenet, vgg = (frame.loc[name] for name in ("resnet18", "lenet5", "vgg11"))
    assert (resnet["rows"], resnet["seed"], resnet["training"]) == (3, "*", "*")
    assert [resnet["clean"], resnet["robust"], resnet["gap"]] == pytest.approx([0.8, 0.3, 0.5])
    # Student's t with two degrees of freedom: 4.3027 * 0.1 / sqrt(3) = 0.2484.
    ends = [resnet["robust_low"], resnet["robust_high"], resnet["clean_low"], resnet["clean_high"]]
    assert ends == pytest.approx([0.0516, 0.5484, 0.5516, 1.0], abs=1e-4)
    assert (resnet["front"], lenet["front"]) == ("yes", "yes")
    assert math.isnan(lenet["lfc"])
    assert lenet["three_way_front"] == "unknown"
    assert resnet["three_way_front"] == "alone"
    assert (vgg["flags"], vgg["front"]) == ("pgd@0.03: full-range", "flagged")
    # One seed keeps Wilson's interval, and its name.
    (single,) = store.tradeoff(group="configuration", seed=2).frame.to_dict("records")
    assert (single["seed"], single["rows"]) == (2, 1)
    assert (single["clean_low"], single["clean_high"]) == pytest.approx((0.6042, 0.7811), abs=1e-4)


def test_models_that_are_left_out_are_counted(
    store: Store, model: Model, run_id: int, build: ModuleType
) -> None:
    model(90, 20, seed=0)
    model(90, seed=1)
    # Within the ball, but not at its edge; nor does an L2 ball fill it.
    model(90, seed=2, more=({"count": 50, "attack": "pgd", "epsilon": 0.01},))
    model(90, seed=3, more=({"count": 50, "epsilon": 0.03, **L2},))
    unclean = build.training(seed=4)
    unpaired = build.training(seed=5)
    for training in (unclean, unpaired):
        store.add_training(training, run_id)
    first = build.evaluation(unpaired, n=40, **PGD)
    flat = np.full(40, 0.5, np.float32)
    labels = np.arange(40) % 7
    store.add_evaluations(
        [
            build.answered(unclean, set(), **PGD),
            build.answered(unpaired, set()),
            replace(first, predictions=Predictions(labels, labels, flat, flat)),
        ],
        run_id,
    )
    unstored = model(90, 20, seed=6)
    with store._writing() as connection:
        connection.exec_driver_sql(
            "delete from predictions where evaluation_id in (select evaluation_id from evaluations "
            "e join trainings t using (training_id) where t.identity = ?)",
            (unstored.identity,),
        )
    found = store.tradeoff(epsilon=0.03)
    assert found.frame["seed"].tolist() == [0]
    assert sorted(map(str, found.left_out)) == [
        "1 models left without a worst case: 40 and 100 images of split 'test' cannot be paired: "
        "their labels say that they were chosen in different ways",
        "1 models that were not evaluated on clean images",
        "1 models whose single answers are not stored",
        "3 models that faced no attack at the edge of the ball, epsilon 0.03",
    ]


def test_filters_restrict_what_is_compared(store: Store, model: Model) -> None:
    model(90, 40, seed=0)
    model(80, 30, seed=1, defence="jpeg(quality=75)")
    model(70, 20, seed=2, model="lenet5")
    assert by_seed(store.tradeoff().frame, "front") == [["yes"], ["no"], ["no"]]
    assert by_seed(store.tradeoff(defence="jpeg").frame, "seed", "front") == [[1, "alone"]]
    assert by_seed(store.tradeoff(model="lenet").frame, "seed", "front") == [[2, "alone"]]
    with pytest.raises(UsageError, match="cannot be restricted by 'attack'"):
        store.tradeoff(attack="pgd")  # type: ignore[call-arg]


def test_what_there_is_not(store: Store, model: Model) -> None:
    empty = store.tradeoff()
    assert (len(empty.frame), empty.epsilon, empty.low, empty.left_out) == (0, None, None, ())
    model(90, lfc=50)
    unattacked = store.tradeoff()
    assert unattacked.frame.empty
    assert list(map(str, unattacked.left_out)) == ["1 models that were not attacked"]
    assert list(empty.frame) == list(unattacked.frame)
    model(90, 20, seed=1, more=({"count": 10, "attack": "pgd", "epsilon": 8 / 255},))
    with pytest.raises(UsageError, match=r"epsilon 0.05 .* there are: 0.03, 0.03137254901960784"):
        store.tradeoff(epsilon=0.05)
    with pytest.raises(UsageError, match="no LFCs of radius 5; there are: 8"):
        store.tradeoff(cutoff=5)
    assert store.tradeoff(epsilon=0.0313725490).frame["robust"].tolist() == [0.1]

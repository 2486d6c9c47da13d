"""Flags of robust scores: what was measured, rows that contradict each other, and ranks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from hfcbench.attack_types import Search
from hfcbench.cli.leaderboard_table import compact, notes
from hfcbench.reliability_checks import ADVICE, Check
from hfcbench.results.records import EvaluationRecord, TrainingRecord
from hfcbench.results.store import Store

WORST = Search("worst-case")
EXACT = Search("exact")
SOUND = (Check("vanishing-gradients", 0.0, 0.1, 50), Check("random-answers", 0.0, 0.0, 50))
BLIND = (Check("random-answers", 0.0, 0.0, 50),)
MORE_STEPS = (*SOUND, Check("more-steps", 0.1, 0.02, 50))
MASKED = (*SOUND, Check("full-range", 0.8, 0.25, 50))

Add = Callable[..., TrainingRecord]


def noise(value: float, **more: Any) -> dict[str, Any]:
    return {"attack": "noise", "search": EXACT, "checks": BLIND, "value": value, **more}


def fgsm(value: float, **more: Any) -> dict[str, Any]:
    return {"attack": "fgsm", "search": EXACT, "value": value, **more}


def flags(store: Store, **question: Any) -> list[str]:
    return list(store.leaderboard(**question).frame["flags"])


def ranks(store: Store, sort: str, **question: Any) -> dict[Any, int | None]:
    """The rank of each seed."""
    frame = store.leaderboard(sort=sort, **question).frame
    return {
        seed: None if pd.isna(rank) else int(rank)
        for seed, rank in zip(frame["seed"], frame["rank"], strict=True)
    }


def test_a_measured_flag_is_shown_and_keeps_its_score_from_a_rank(
    store: Store, add_attacked: Add
) -> None:
    add_attacked({"value": 0.6, "checks": MORE_STEPS}, seed=0)
    add_attacked({"value": 0.5}, seed=1)
    add_attacked({"value": 0.4}, seed=2)
    board = store.leaderboard(sort="pgd@0.03")
    assert board.frame["seed"].tolist() == [1, 2, 0]
    assert board.frame["rank"].fillna(0).tolist() == [1, 2, 0]
    assert board.frame["flags"].tolist() == ["", "", "pgd@0.03: more-steps"]
    # The score is shown as it is.
    assert board.frame["pgd@0.03"].tolist() == [0.5, 0.4, 0.6]
    assert board.frame["robust"].tolist() == [0.5, 0.4, 0.6]
    assert board.flags == ("more-steps",)
    assert [str(item) for item in board.left_out] == [
        "1 rows without a rank: flags cast doubt on their score in column 'pgd@0.03'"
    ]
    assert ranks(store, "-pgd@0.03") == {0: None, 1: 1, 2: 2}
    # By what is not in doubt all have ranks.
    assert ranks(store, "original") == {0: 1, 1: 1, 2: 1}
    assert ranks(store, "seed") == {0: 1, 1: 1, 2: 1}


def test_what_has_no_number_is_told_from_what_is_in_doubt(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.6, "checks": MORE_STEPS}, seed=0)
    add_attacked({"value": math.nan}, seed=1)
    add_attacked({"value": 0.2}, seed=2)
    assert [str(item) for item in store.leaderboard(sort="robust").left_out] == [
        "1 rows without a rank: flags cast doubt on their score in column 'robust'",
        "1 rows without a rank: no finite score in column 'robust'",
    ]


def test_a_check_without_a_limit_or_at_its_limit_is_no_flag(
    store: Store, add_attacked: Add
) -> None:
    checks = (Check("verdicts-changed", 1.0, math.inf, 40), Check("more-steps", 0.02, 0.02, 50))
    add_attacked({"value": 0.5, "checks": checks})
    assert flags(store) == [""]


def test_flags_are_of_the_images_that_are_shown(store: Store, add_attacked: Add) -> None:
    """A first look on few images was flagged; the whole run was not."""
    add_attacked({"value": 0.6, "n": 10, "checks": MORE_STEPS}, {"value": 0.5, "n": 40})
    assert flags(store) == [""]
    assert ranks(store, "pgd@0.03") == {0: 1}


@pytest.mark.parametrize(
    ("gap", "expected"), [(0.02, "pgd@0.03: black-box"), (0.009, ""), (-0.1, "")]
)
def test_an_attack_without_gradients_that_breaks_more(
    store: Store, add_attacked: Add, gap: float, expected: str
) -> None:
    add_attacked({"value": 0.5}, noise(0.5 - gap))
    assert flags(store) == [expected]


@pytest.mark.parametrize(
    "rival",
    [
        noise(0.1, epsilon=0.06),
        noise(0.1, n=30),
        noise(0.1, defence="jpeg"),
        noise(0.1, attack_norm="l2"),
        noise(0.1, component="lfc@4"),
        # One whose checks say that it follows gradients, and one that was never checked.
        noise(0.1, checks=SOUND),
        noise(0.1, checks=()),
    ],
    ids=["larger", "fewer images", "defence", "norm", "component", "gradients", "unchecked"],
)
def test_what_contradicts_nothing(store: Store, add_attacked: Add, rival: dict[str, Any]) -> None:
    add_attacked({"value": 0.5}, rival)
    assert "pgd@0.03" not in "".join(flags(store))


@pytest.mark.parametrize(("images", "expected"), [(1, ""), (2, "pgd@0.03: black-box")])
def test_a_single_image_is_no_contradiction(
    store: Store, add_attacked: Add, images: int, expected: str
) -> None:
    add_attacked({"value": 0.5, "n": 40}, noise(0.5 - images / 40, n=40))
    assert flags(store) == [expected]


def test_a_smaller_ball_lies_within_a_larger_one(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.5, "epsilon": 0.06}, {"value": 0.6, "epsilon": 0.03}, noise(0.45))
    assert flags(store) == ["pgd@0.03: black-box; pgd@0.06: black-box"]


def test_images_of_the_undefended_model_that_break_more(store: Store, add_attacked: Add) -> None:
    jpeg = {"defence": "jpeg"}
    transfer = {"value": 0.3, "search": Search("full", "transfer"), **jpeg}
    add_attacked({"value": 0.5, **jpeg}, transfer, fgsm(0.7, **jpeg), {"value": 0.2})
    board = store.leaderboard().frame.set_index("defence")
    # Another attack was meant to find less, and the undefended model is another model.
    assert board["flags"].to_dict() == {"jpeg": "pgd@0.03: transfer", "none": ""}


@pytest.mark.parametrize(
    ("weak", "strong", "flagged"),
    [
        ("pgd(steps=5)", "pgd", "pgd(steps=5)@0.03"),
        ("pgd", "pgd(steps=40)", "pgd@0.03"),
        ("pgd", "pgd(restarts=5)", "pgd@0.03"),
        ("pgd(steps=40)", "pgd(steps=40, restarts=2)", "pgd(steps=40)@0.03"),
        # It broke more, and was not meant to.
        ("pgd", "pgd(steps=5)", None),
        ("pgd", "pgd(steps=40, step_share=0.5)", None),
        ("pgd(random_start=true)", "pgd(steps=40)", None),
    ],
)
def test_the_same_attack_with_more_effort(
    store: Store, add_attacked: Add, weak: str, strong: str, flagged: str | None
) -> None:
    """What is not in a label are defaults, which count like everything else."""
    add_attacked({"value": 0.5, "attack": weak}, {"value": 0.47, "attack": strong})
    assert flags(store) == ["" if flagged is None else f"{flagged}: stronger-row"]


def test_modes_and_versions_are_other_attacks(store: Store, add_attacked: Add) -> None:
    oblivious = Search("worst-case", "oblivious")
    add_attacked(
        {"value": 0.5, "attack": "pgd(steps=5)", "defence": "jpeg"},
        {"value": 0.2, "search": oblivious, "defence": "jpeg"},
    )
    add_attacked(
        {"value": 0.5, "search": Search("full")},
        {"value": 0.2, "search": Search("full", "transfer"), "attack_version": "2"},
        seed=1,
    )
    assert flags(store) == ["", ""]


def test_a_single_step_shares_the_doubt_about_gradients(store: Store, add_attacked: Add) -> None:
    """FGSM has no check of the whole range; where PGD shows that gradients are masked, it does."""
    jpeg = {"defence": "jpeg"}
    oblivious = Search("worst-case", "oblivious")
    add_attacked({"value": 0.8, "checks": MASKED}, fgsm(0.7), noise(0.75))
    add_attacked(
        {"value": 0.8, "checks": MASKED, "search": oblivious, **jpeg},
        fgsm(0.4, **jpeg),
        fgsm(0.7, search=Search("exact", "oblivious"), **jpeg),
        {"value": 0.3, **jpeg},
        seed=1,
    )
    assert flags(store, defence="none") == [
        "fgsm@0.03: full-range; pgd@0.03: full-range, black-box"
    ]
    assert flags(store, defence="jpeg") == [
        "oblivious fgsm@0.03: full-range; oblivious pgd@0.03: full-range"
    ]
    assert ranks(store, "robust", defence="none") == {0: None}
    assert ranks(store, "fgsm@0.03", defence="none") == {0: None}
    # What knows the defence is in no doubt, and is the lowest.
    assert ranks(store, "robust", defence="jpeg") == {1: 1}


def test_the_lowest_score_decides_robust_ranks(store: Store, add_attacked: Add) -> None:
    # Seed 0: the flagged score is not the lowest; 1: it is; 2: two are the lowest, one is sound.
    for seed, (weak, strong) in enumerate([(0.6, 0.5), (0.4, 0.45), (0.3, 0.3)]):
        checks = {"checks": MORE_STEPS}
        add_attacked(
            {"value": weak, "attack": "pgd(steps=5)", **checks},
            {"value": strong, "attack": "other"},
            seed=seed,
        )
    assert ranks(store, "robust") == {0: 1, 1: None, 2: 2}
    assert ranks(store, "other@0.03") == {0: 1, 1: 2, 2: 3}
    assert ranks(store, "pgd(steps=5)@0.03") == {0: None, 1: None, 2: None}


def test_robust_of_losses_is_the_largest(store: Store, run_id: int, build: ModuleType) -> None:
    """Scores of another metric share the flags of their images."""
    training = build.training()
    store.add_training(training, run_id)

    def record(loss: float, **more: Any) -> EvaluationRecord:
        made: EvaluationRecord = build.evaluation(
            training, scores=[build.score(loss, metric="loss")], **more
        )
        return made

    attacked = {"epsilon": 0.1, "search": WORST}
    store.add_evaluations(
        [
            record(1.0),
            record(3.0, attack="pgd", checks=MORE_STEPS, **attacked),
            record(2.0, attack="other", checks=SOUND, **attacked),
        ],
        run_id,
    )
    assert ranks(store, "robust", metric="loss") == {0: None}
    assert flags(store, metric="loss") == ["pgd@0.1: more-steps"]


def test_undefended_models_need_not_face_what_is_kept_from_attacks(
    store: Store, add_attacked: Add
) -> None:
    jpeg = {"defence": "jpeg"}
    add_attacked(
        {"value": 0.2},
        {"value": 0.3, **jpeg},
        {"value": 0.4, "search": Search("full", "transfer"), **jpeg},
    )
    board = store.leaderboard(sort="robust").frame.set_index("defence")
    assert board["robust"].to_dict() == {"jpeg": 0.3, "none": 0.2}
    assert board["rank"].to_dict() == {"jpeg": 1, "none": 2}


def test_a_model_that_was_attacked_less_has_no_robust_rank(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.5}, fgsm(0.6), seed=0)
    add_attacked(fgsm(0.7), seed=1)
    frame = store.leaderboard(sort="robust").frame.set_index("seed")
    assert frame["robust"].fillna(-1).to_dict() == {0: 0.5, 1: -1}
    assert ranks(store, "robust") == {0: 1, 1: None}


def test_other_data_may_have_been_attacked_otherwise(
    store: Store, run_id: int, add_attacked: Add, build: ModuleType
) -> None:
    """Models are held against those that they compare with."""
    store.add_dataset(build.dataset(fingerprint="f" * 64))
    add_attacked({"value": 0.5}, fgsm(0.6), seed=0)
    add_attacked(fgsm(0.7), seed=1, dataset_fingerprint="f" * 64)
    assert ranks(store, "robust") == {0: 1, 1: 1}


def test_groups_show_the_flags_of_all_members(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.6, "checks": MORE_STEPS}, seed=0)
    add_attacked({"value": 0.4, "checks": MASKED}, seed=1)
    add_attacked({"value": 0.3}, model="lenet5", seed=0)
    board = store.leaderboard(group="configuration", sort="pgd@0.03")
    rows = board.frame.set_index("model")
    assert rows["flags"].to_dict() == {"lenet5": "", "resnet18": "pgd@0.03: full-range, more-steps"}
    assert rows["rank"].fillna(0).to_dict() == {"lenet5": 1, "resnet18": 0}
    assert rows["pgd@0.03"].to_dict() == pytest.approx({"lenet5": 0.3, "resnet18": 0.5})
    assert "flags cast doubt" in str(board.left_out[0])


def test_a_limit_changes_no_flag_and_no_rank(store: Store, add_attacked: Add) -> None:
    for seed in range(6):
        add_attacked({"value": 0.1 * seed, "checks": MORE_STEPS if seed % 2 else SOUND}, seed=seed)
    whole = store.leaderboard(sort="pgd@0.03").frame
    pd.testing.assert_frame_equal(
        store.leaderboard(sort="pgd@0.03", limit=4).frame, whole.iloc[:4], check_dtype=False
    )
    assert whole["seed"].tolist()[:3] == [4, 2, 0]


@pytest.mark.parametrize(
    ("searches", "names"),
    [
        ([WORST, Search("full")], ["pgd@0.03 [full]", "pgd@0.03 [worst-case]"]),
        (
            [WORST, Search("worst-case", smaller_epsilons=(0.01,))],
            ["pgd@0.03 [worst-case after 0.01]", "pgd@0.03 [worst-case]"],
        ),
        (
            [WORST, Search("worst-case", precision="bfloat16")],
            ["pgd@0.03 [worst-case, bfloat16]", "pgd@0.03 [worst-case]"],
        ),
        (
            [WORST, Search("worst-case", "oblivious"), Search("full", "transfer")],
            ["oblivious pgd@0.03", "pgd@0.03", "transfer pgd@0.03"],
        ),
    ],
)
def test_every_search_has_a_column(
    store: Store, add_attacked: Add, searches: Sequence[Search], names: list[str]
) -> None:
    add_attacked(*({"value": 0.1 * n, "search": one} for n, one in enumerate(searches, 1)))
    row = store.leaderboard().frame.iloc[0]
    assert sorted(name for name in row.index if "pgd@" in name) == names
    values = {search: 0.1 * n for n, search in enumerate(searches, 1)}
    assert sorted(row[names]) == pytest.approx(sorted(values.values()))
    for name in names:
        assert ranks(store, name) == {0: 1}


def test_models_that_were_searched_otherwise_share_no_column(
    store: Store, add_attacked: Add
) -> None:
    add_attacked({"value": 0.4}, {"value": 0.5, "search": Search("full"), "defence": "jpeg"})
    board = store.leaderboard().frame.set_index("defence")
    names = ["pgd@0.03 [full]", "pgd@0.03 [worst-case]"]
    assert board.loc["jpeg", names].fillna(-1).tolist() == [0.5, -1]
    assert board.loc["none", names].fillna(-1).tolist() == [-1, 0.4]
    assert board["robust"].isna().all()


def test_the_table_explains_the_flags_that_it_shows(store: Store, add_attacked: Add) -> None:
    """The column is that of mode transfer; nothing is flagged so."""
    jpeg = {"defence": "jpeg"}
    add_attacked(
        {"value": 0.5, **jpeg},
        {"value": 0.6, "search": Search("full", "transfer"), "checks": MORE_STEPS, **jpeg},
    )
    board = store.leaderboard(columns="main")
    columns, (row,) = compact(board)
    assert row[columns.index("flags")] == "transfer pgd@0.03: more-steps"
    assert notes(board) == [f"flag more-steps: {ADVICE['more-steps']}"]
    add_attacked({"value": 0.5}, seed=1)
    clean = store.leaderboard(columns="main", seed=1)
    assert "flags" not in compact(clean)[0]
    assert notes(clean) == []


def test_a_check_that_only_a_later_version_knows_is_shown(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.5, "checks": (*SOUND, Check("zebra", 1.0, 0.5, 50), *MORE_STEPS[-1:])})
    board = store.leaderboard(columns="main")
    assert board.frame["flags"].tolist() == ["pgd@0.03: more-steps, zebra"]
    assert len(notes(board)) == 1


def test_a_filter_hides_no_contradiction(store: Store, add_attacked: Add) -> None:
    add_attacked({"value": 0.5, "epsilon": 0.06}, noise(0.1))
    assert flags(store, columns="main", epsilon=0.06) == ["pgd@0.06: black-box"]

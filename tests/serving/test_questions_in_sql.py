"""The ready queries answer the ten questions as docs/questions.md does."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import hfcbench
from hfcbench.serving.ready_queries import ready_queries

PAGE = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
CIFAR = {"dataset": "cifar10"}
RADIAL = {"decomposition": "fft-radial", "rescaling": "none"}
FLAGGED = """
select trainings.identity, conditions.attack, conditions.epsilon
from evaluations join trainings using (training_id) join conditions using (condition_id)
where conditions.component = 'original' and conditions.defence = 'none' and evaluation_id in (
    select evaluation_id from reliability_checks where flagged
)
"""


@pytest.fixture(scope="module")
def names(database):
    """What the blocks of the page leave behind: each question's answer, by its number."""
    found: dict = {"answers": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(database.parent)
        blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
        for number, block in enumerate(blocks[:11]):
            exec(compile(block, f"questions.md block {number}", "exec"), found)
            found["answers"][number] = found.get("answer")
        yield found
        found["store"].close()


@pytest.fixture
def answers(names):
    return names["answers"]


def frame_of(rows):
    assert rows
    return pd.DataFrame(rows)


def test_titles_are_the_headings_of_the_page():
    headings = re.findall(r"^## (\d+\. .*\?)$", PAGE, re.M)
    assert [query.title for query in ready_queries()[1:]] == headings
    assert len({query.name for query in ready_queries()}) == 11


def test_question_1(server, answers):
    found = frame_of(server.rows("question_01_best_model", **CIFAR, **RADIAL))[:20]
    same = ["rank", "model", "heuristics", "defence", "seed", "original", "lfc", "hfc", "training"]
    expected = answers[1].rename(columns={"lfc@12": "lfc", "hfc@12": "hfc"})[same]
    assert len(expected) == 20
    assert set(found["cutoff"]) == {12.0}
    pd.testing.assert_frame_equal(found[same], expected, check_dtype=False)


def test_the_leaderboard_ranks_every_cutoff_as_that_question_does(server, answers):
    board = frame_of(server.rows("ranked", **CIFAR, cutoff="12"))
    found = board[board["rescaling"] == "none"][:20].reset_index(drop=True)
    same = ["rank", "training", "defence", "original"]
    pd.testing.assert_frame_equal(found[same], answers[1][same], check_dtype=False)


def test_question_2(server, answers):
    found = frame_of(server.rows("question_02_leaning_models", **CIFAR, **RADIAL, cutoff="8"))
    expected = answers[2].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[list(expected)][:10], expected, check_dtype=False)


def test_question_3(server, answers):
    found = frame_of(server.rows("question_03_leaning_heuristics", **RADIAL, cutoff="8"))
    pd.testing.assert_frame_equal(found, answers[3].reset_index(), check_dtype=False)


def test_question_4(server, answers):
    asked = {**CIFAR, **RADIAL, "cutoff": "8", "epsilon": "0.03"}
    found = frame_of(server.rows("question_04_price_of_defences", **asked))
    expected = answers[4].rename("lost_per_point")
    found = found.set_index("defence")["lost_per_point"]
    pd.testing.assert_series_equal(found, expected, check_index_type=False)


def test_question_5(server, answers):
    found = frame_of(server.rows("question_05_seeds", **CIFAR))
    same = list(answers[5])
    assert found["rows"].max() > 1
    pd.testing.assert_frame_equal(found[same], answers[5], check_dtype=False)


def test_question_6_without_doubts_that_are_found_when_read(server, names):
    attacked = names["attacked"]
    # Doubts that need a second score are in no table; the page's block leaves those rows out, too.
    flagged = set(names["store"].query(FLAGGED)[1])
    of = zip(attacked["training"], attacked["attack"], attacked["epsilon"], strict=True)
    trusted = attacked[[place not in flagged for place in of]]
    assert (attacked["flags"] != "").sum() > len(attacked) - len(trusted) > 0
    expected = trusted.groupby(["model", "attack", "epsilon"])["value"].mean()
    found = frame_of(server.rows("question_06_epsilons", **CIFAR))
    assert found["models"].sum() == len(trusted)
    found = found.set_index(["model", "attack", "epsilon"])["accuracy"]
    pd.testing.assert_series_equal(found, expected, check_names=False)


def test_question_7(server, answers):
    found = frame_of(server.rows("question_07_cutoffs", **CIFAR, **RADIAL))
    expected = answers[7].stack().unstack("part").reset_index()[["model", "cutoff", "lfc", "hfc"]]
    pd.testing.assert_frame_equal(found[list(expected)], expected, check_names=False)


def test_question_8(server, names, answers):
    first, second = list(names["best"])
    found = frame_of(server.rows("question_08_comparison", first=first[:12], second=second[:12]))
    same = ["first", "second", "n", "accuracy_first", "accuracy_second", "difference", "low"]
    same += ["high", "only_first", "only_second", "test", "p_value", "p_adjusted"]
    pd.testing.assert_frame_equal(found[same], answers[8][same], check_dtype=False)


def test_question_9(server, names, answers):
    first, second = names["first"], names["second"]
    found = frame_of(server.rows("question_09_disagreements", first=first, second=second))
    expected = answers[9].reset_index()
    assert 0 < len(expected) < 50
    found = found.astype({"correct_first": bool, "correct_second": bool})
    pd.testing.assert_frame_equal(found, expected[list(found)], check_dtype=False)


def test_question_10(server, names, answers):
    (found,) = server.rows("question_10_provenance", id=names["best"].iloc[0][:12])
    run = answers[10].training_run
    assert found["identity"] == names["best"].iloc[0]
    for name in ("command", "torch_version", "host", "python_version", "uuid"):
        assert found["run" if name == "uuid" else name] == run[name]


@pytest.mark.parametrize("query", [query.name for query in ready_queries()])
def test_every_query_answers_with_all_fields_empty(server, query):
    status, text = server.get(f"results/{query}")
    assert status == 200
    assert "Error" not in text


def test_holm_over_several_conditions_is_statsmodels(serving, tmp_path, build_pair):
    path, first, second = build_pair
    with serving(path) as running:
        found = frame_of(running.rows("question_08_comparison", first=first, second=second))
    with hfcbench.open_store(path, read_only=True) as store:
        expected = store.compare([first, second], correction="holm")
    assert len(found) == 3
    assert found["p_adjusted"].tolist() == pytest.approx(expected["p_adjusted"].tolist())
    assert (found["p_adjusted"] > found["p_value"]).any()

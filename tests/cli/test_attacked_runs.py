"""Attacked evaluations from the command line: run, gone on with, recomputed, in every mode."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hfcbench.cli.main import call
from hfcbench.plugins import load_plugins
from hfcbench.reports.reading import read_study
from hfcbench.results.opening import open_store

SUITE = """\
title: Attacked in every way
datasets: ["planted-band(size=16, classes=4, train_per_class=30, test_per_class=20)"]
schedule: {epochs: 3, batch_size: 20, learning_rate: 0.003}
samples: {test: 60, attack: 40}
attacks: [fgsm, "pgd(steps=3, step_share=0.5, random_start=true, restarts=2)"]
epsilons: [0.03, 0.06]
attack_components: [original, hfc@4]
attack_modes: [adaptive, transfer, oblivious]
defences: [none, "bit-depth(bits=3)", "randomised-smoothing(sigma=0.05, draws=4, attack_draws=2)"]
blocks:
  - models: [lenet5]
"""
# Clean and attacked; the undefended model in one mode, with two attacks, epsilons and components.
EVALUATIONS = 3 * 1 + (1 + 2 * 3) * 2 * 2 * 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A folder with the database and checkpoint of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")
    assert hfcbench(folder, "run", "--suite", str(folder / "suite.yaml")) == 0
    return folder


@pytest.fixture
def place(finished, tmp_path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def hfcbench(folder: Path, *arguments: str, cache: Path | None = None) -> int:
    """Run a command on a folder's database."""
    extra = ["--db", str(folder / "results.db")]
    if arguments[0] in ("run", "verify"):
        extra += ["--device", "cpu", "--cache-dir", str((cache or folder) / "cache")]
    return call([*arguments, *extra])


def rows(folder: Path, sql: str, *values: Any) -> list[tuple]:
    with closing(sqlite3.connect(folder / "results.db")) as connection:
        found = connection.execute(sql, values).fetchall()
        connection.commit()
        return found


def content(folder: Path) -> set[tuple]:
    """Every evaluation with its condition, scores, predictions and checks, without keys."""
    scores = """
        SELECT e.identity, c.criterion, c.attack_mode, c.attack_precision, c.smaller_epsilons,
               m.name, s.value, s.state, s.low, s.high, s.n, p.predicted, p.confidence, p.loss
        FROM evaluations e JOIN conditions c USING (condition_id)
        JOIN scores s USING (evaluation_id) JOIN metrics m USING (metric_id)
        JOIN predictions p USING (evaluation_id)
    """
    checks = """
        SELECT e.identity, k.name, k.value, k.threshold, k.flagged, k.n
        FROM evaluations e JOIN reliability_checks k USING (evaluation_id)
    """
    return {*rows(folder, scores), *rows(folder, checks)}


def remove(folder: Path, where: str) -> int:
    """Forget evaluations, as if the run had been killed before them."""
    gone = (
        f"SELECT evaluation_id FROM evaluations JOIN conditions USING (condition_id) WHERE {where}"
    )
    ids = [row[0] for row in rows(folder, gone)]
    listed = ", ".join(map(str, ids))
    for table in ("reliability_checks", "scores", "predictions", "evaluations"):
        rows(folder, f"DELETE FROM {table} WHERE evaluation_id IN ({listed})")
    return len(ids)


def test_all_of_it_is_stored_with_how_it_was_searched_for(finished):
    assert rows(finished, "SELECT count(*) FROM evaluations") == [(EVALUATIONS,)]
    assert rows(finished, "SELECT count(*) FROM failures") == [(0,)]
    found = rows(
        finished,
        "SELECT DISTINCT defence = 'none', substr(attack, 1, 3), component, attack_mode, criterion "
        "FROM conditions WHERE attack <> 'none'",
    )
    expected = set()
    for undefended, modes in ((1, ["adaptive"]), (0, ["adaptive", "transfer", "oblivious"])):
        for mode in modes:
            for component in ("original", "hfc@4"):
                searched = component == "original" and mode != "transfer"
                pgd = "worst-case" if searched else "full"
                expected.add((undefended, "fgs", component, mode, "exact"))
                expected.add((undefended, "pgd", component, mode, pgd))
    assert set(found) == expected
    smaller = rows(
        finished,
        "SELECT DISTINCT epsilon, smaller_epsilons FROM conditions WHERE criterion = 'worst-case'",
    )
    assert sorted(smaller) == [(0.03, None), (0.06, "0.03")]
    clean = rows(
        finished,
        "SELECT DISTINCT criterion, attack_mode, attack_precision, smaller_epsilons "
        "FROM conditions WHERE attack = 'none'",
    )
    assert clean == [(None, None, None, None)]
    assert rows(
        finished,
        "SELECT attack <> 'none', min(checks), max(checks) FROM (SELECT evaluation_id, attack, "
        "count(name) AS checks FROM evaluations JOIN conditions USING (condition_id) LEFT JOIN "
        "reliability_checks USING (evaluation_id) GROUP BY evaluation_id, attack) GROUP BY 1",
    ) == [(0, 0, 0), (1, 3, 5)]


@pytest.mark.parametrize(
    "where",
    [
        "epsilon = 0.06",
        "epsilon = 0.03",
        "attack_mode = 'oblivious' AND epsilon = 0.06 AND component = 'original'",
        "defence LIKE 'randomised%' AND attack <> 'none'",
        "attack = 'none'",
    ],
)
def test_going_on_gives_what_a_whole_run_gives(place, capsys, where):
    before = content(place)
    gone = remove(place, where)
    assert 0 < gone < EVALUATIONS
    assert hfcbench(place, "run", "--suite", str(place / "suite.yaml")) == 0
    assert f"0 trained, {gone} evaluated" in capsys.readouterr().out
    assert content(place) == before


def one_of_each(folder: Path, *columns: str) -> list[str]:
    """An evaluation at the largest epsilon for each combination of these columns' values."""
    return [
        row[0]
        for row in rows(
            folder,
            "SELECT min(identity) FROM evaluations JOIN conditions USING (condition_id) "
            f"WHERE epsilon = 0.06 GROUP BY {', '.join(columns)}",
        )
    ]


def test_every_search_is_recomputed_to_the_last_digit(place, capsys):
    chosen = one_of_each(place, "defence", "attack", "component", "attack_mode")
    assert len(chosen) == (EVALUATIONS - 3) / 2
    for identity in chosen:
        capsys.readouterr()
        assert hfcbench(place, "verify", identity, "--tolerance", "0") == 0
        text = capsys.readouterr().out
        assert text.count("difference 0 (tolerance 0): agrees") == 2
        assert "0 of 40 predictions differ" in text


def test_the_suite_of_a_single_search_computes_just_it(place, tmp_path, capsys):
    chosen = one_of_each(place, "attack_mode", "criterion")
    assert len(chosen) == 8
    for identity in chosen:
        capsys.readouterr()
        assert hfcbench(place, "show", identity, "--format", "suite") == 0
        again = tmp_path / identity
        again.mkdir()
        (again / "one.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
        shutil.copytree(place / "checkpoints", again / "checkpoints")
        assert hfcbench(again, "run", "--suite", str(again / "one.yaml"), cache=place) == 0
        mine, theirs = (
            {row for row in content(folder) if row[0] == identity} for folder in (again, place)
        )
        assert mine == theirs


def test_modes_and_criterion_from_the_command_line(place, capsys):
    suite = place / "plain.yaml"
    suite.write_text(
        SUITE.replace("attack_modes: [adaptive, transfer, oblivious]\n", "").replace(
            "attack_components: [original, hfc@4]\n", ""
        ),
        encoding="utf-8",
    )
    before = content(place)
    arguments = ("run", "--suite", str(suite), "--attack-mode", "transfer", "--attack-mode")
    assert hfcbench(place, *arguments, "oblivious") == 0
    assert content(place) == before
    capsys.readouterr()
    more = ("--criterion", "full", "--attack-precision", "bfloat16", "--attack", "pgd(steps=2)")
    assert hfcbench(place, "run", "--suite", str(suite), *more, "--epsilon", "0.03") == 0
    new = rows(place, "SELECT DISTINCT criterion, attack_mode, attack_precision FROM conditions "
               "WHERE attack = 'pgd(steps=2)'")  # fmt: skip
    assert new == [("full", "adaptive", "bfloat16")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--attack-mode", "adaptiv"), "command line: 'attack_modes.0'"),
        (("--criterion", "exact"), "command line: 'criterion'"),
        (("--epsilon", "8"), "divide by 255 if you mean 8-bit pixels: 0.03137"),
    ],
)
def test_what_cannot_be_asked_for(place, capsys, arguments, message):
    assert hfcbench(place, "run", "--suite", str(place / "suite.yaml"), *arguments) != 0
    captured = capsys.readouterr()
    assert message in captured.out + captured.err


def test_what_casts_doubt_is_shown(finished, capsys):
    (identity,) = rows(
        finished,
        "SELECT identity FROM evaluations JOIN conditions USING (condition_id) "
        "WHERE epsilon = 0.06 AND defence LIKE 'bit%' AND attack LIKE 'pgd%' "
        "AND attack_mode = 'oblivious' AND component = 'original'",
    )[0]
    assert hfcbench(finished, "show", identity) == 0
    text = capsys.readouterr().out
    # Rounding has the gradient zero.
    assert (
        "check vanishing-gradients = 1.0 (no doubt up to 0.1), n = 40: FLAGGED; gradients" in text
    )
    assert "check random-answers = 0.0 (no doubt up to 0), n = 40\n" in text
    assert "check verdicts-changed = 0.0, n = 40\n" in text
    assert hfcbench(finished, "show", identity, "--format", "json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["name"] for check in checks if check["flagged"]][-1] == "vanishing-gradients"

    arguments = ("leaderboard", "--attack-norm", "linf", "--defence", "bit-depth")
    assert hfcbench(finished, *arguments, "--attack-mode", "oblivious") == 0
    captured = capsys.readouterr()
    assert "oblivious pgd" in captured.out
    assert "flag vanishing-gradients: gradients vanish: run autoattack" in captured.err
    assert hfcbench(finished, *arguments, "--criterion", "exact", "--attack-mode", "adaptive") == 0
    captured = capsys.readouterr()
    assert "fgsm@0.03" in captured.out
    assert "pgd" not in captured.out
    assert "flag vanishing-gradients" not in captured.err


def test_figures_tell_modes_apart(finished):
    suite = str(finished / "suite.yaml")
    with open_store(finished / "results.db", read_only=True) as store:
        study = read_study(store, load_plugins(installed=()).registry, suite, command="")
    shown = study.scores[study.scores["component"] == "original"]
    by_defence = shown.groupby("defence")["attack"].agg(lambda labels: sorted(set(labels)))
    pgd = "pgd(steps=3, step_share=0.5, random_start=true, restarts=2)"
    adaptive = sorted(["none", "fgsm", pgd])
    modes = [f"{mode} {attack}" for mode in ("transfer", "oblivious") for attack in ("fgsm", pgd)]
    assert by_defence["none"] == adaptive
    assert by_defence["bit-depth(bits=3)"] == sorted([*adaptive, *modes])
    # What bounds robust accuracy is adaptive attacks; every model faced those.
    assert {label for label, _ in study.attacks} == {"fgsm", pgd}

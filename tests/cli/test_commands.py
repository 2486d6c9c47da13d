"""The commands as a user types them, on a small database made by a real run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfcbench.cli.main import call

SUITE = """\
title: Small
datasets: ["planted-band(size=16, classes=4, train_per_class=30, test_per_class=20)"]
schedule: {epochs: 3, batch_size: 20, learning_rate: 0.005}
components: [original, lfc@4, hfc@4]
rescaling: mean
attacks: [fgsm]
epsilons: [0.03, 0.06]
defences: [none, "kernel-smoothing(rho=0.25)"]
blocks:
  - models: [lenet5]
    heuristics: [vanilla, batchnorm]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("work")
    (place / "small.yaml").write_text(SUITE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert call(["run", "--suite", "small.yaml", "--cache-dir", "cache"]) == 0
    return place


@pytest.fixture(autouse=True)
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(folder)
    # Tables must not depend on the terminal that the tests run in.
    monkeypatch.setenv("COLUMNS", "200")
    return


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert call(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_a_second_run_says_that_all_was_done(capsys):
    shown = output_of(capsys, "run", "--suite", "small.yaml", "--cache-dir", "cache")
    assert "suite small: all 20 evaluations were done before" in shown
    assert "lfc@4" in shown
    assert "next: hfcbench leaderboard --wide" in shown


def test_dry_run_shows_the_plan_and_changes_nothing(capsys, folder):
    before = (folder / "results.db").stat()
    arguments = ["run", "--suite", "small.yaml", "--cache-dir", "cache", "--dry-run"]
    shown = output_of(capsys, *arguments, "--seeds", "2")

    assert "2 of 4 trainings to run, 20 of 40 evaluations to run" in shown
    assert "lenet5, batchnorm, planted-band" in shown
    assert (folder / "results.db").stat().st_mtime_ns == before.st_mtime_ns


def test_the_leaderboard_ranks_the_compared_rows(capsys):
    rows = json.loads(output_of(capsys, "leaderboard", "--format", "json"))

    assert len(rows) == 4
    originals = [row["original"] for row in rows]
    assert originals == sorted(originals, reverse=True)
    assert [row["rank"] for row in rows] == sorted(
        1 + sum(other > value for other in originals) for value in originals
    )
    for row in rows:
        assert row["original_low"] <= row["original"] <= row["original_high"]
        assert {"lfc@4", "hfc@4", "fgsm@0.03", "fgsm@0.06"} <= set(row)
        assert row["n"] == 80


def test_the_leaderboard_filters_sorts_and_groups(capsys):
    def board(*options: str) -> list[dict[str, object]]:
        return json.loads(output_of(capsys, "leaderboard", "--format", "json", *options))

    assert {row["heuristics"] for row in board("--heuristic", "batchnorm")} == {"batchnorm"}
    assert {row["defence"] for row in board("--defence", "none")} == {"none"}
    by_robust = [row["fgsm@0.06"] for row in board("--sort", "fgsm@0.06")]
    assert by_robust == sorted(by_robust, reverse=True)
    grouped = board("--group", "heuristics")
    plain = board()
    for row in grouped:
        members = [one["original"] for one in plain if one["heuristics"] == row["heuristics"]]
        assert len(members) == 2
        assert row["original"] == pytest.approx(sum(members) / 2)


def test_the_leaderboard_has_every_format(capsys):
    table = output_of(capsys, "leaderboard", "--epsilon", "0.06")
    assert "original - lfc@4" in table
    assert "fgsm@0.06" in table
    assert "fgsm@0.03" not in table
    rows = list(csv.DictReader(io.StringIO(output_of(capsys, "leaderboard", "--format", "csv"))))
    assert float(rows[0]["original"]) > 0.5
    markdown = output_of(capsys, "leaderboard", "--format", "markdown").splitlines()
    assert set(markdown[1]) <= set("|- ")
    assert len({line.count("|") for line in markdown}) == 1
    wide = output_of(capsys, "leaderboard", "--wide").splitlines()
    assert {"original_low", "lfc@4", "hfc@4", "fgsm@0.03", "fgsm@0.06"} <= set(wide[0].split())
    assert len(wide) == 1 + 4
    assert output_of(capsys, "leaderboard", "--group", "heuristics", "--format", "table")


def test_tradeoff_holds_accuracy_against_robust_accuracy(capsys):
    rows = json.loads(output_of(capsys, "tradeoff", "--format", "json", "--epsilon", "0.06"))
    board = json.loads(output_of(capsys, "leaderboard", "--format", "json"))
    assert len(rows) == 4
    assert {row["group"] for row in rows} == {1}
    by_row = {(row["training"], row["defence"]): row for row in board}
    for row in rows:
        other = by_row[row["training"], row["defence"]]
        assert (row["clean"], row["clean_low"]) == (other["original"], other["original_low"])
        assert (row["lfc"], row["component"]) == (other["lfc@4"], "lfc@4")
        assert row["attacked_by"] == "fgsm@0.03, fgsm@0.06"
        # The worst case image by image is never above that over images.
        assert row["robust"] <= min(other["fgsm@0.03"], other["fgsm@0.06"])
        assert row["gap"] == pytest.approx(row["clean"] - row["robust"])
        assert row["robust_low"] <= row["robust"] <= row["robust_high"]
    assert rows[0]["clean"] == max(row["clean"] for row in rows)


def test_tradeoff_has_every_format_and_filters(capsys):
    assert call(["tradeoff", "--radius", "4"]) == 0
    shown = capsys.readouterr()
    heading, *rows = shown.out.splitlines()
    for name in ("clean [95% CI]", "lfc@4 [95% CI]", "robust@0.03 [95% CI]", "attacked by"):
        assert name in heading
    assert len(rows) == 4
    assert "lfc@4: fft-radial (version 1), rescaling mean" in shown.err
    assert "three-way front: the same of clean, lfc@4 and robust" in shown.err
    rows = list(csv.DictReader(io.StringIO(output_of(capsys, "tradeoff", "--format", "csv"))))
    assert {row["epsilon"] for row in rows} == {"0.03"}
    markdown = output_of(capsys, "tradeoff", "--format", "markdown").splitlines()
    assert len({line.count("|") for line in markdown}) == 1
    options = ("--heuristic", "batchnorm", "--defence", "none", "--group", "configuration")
    (row,) = json.loads(output_of(capsys, "tradeoff", "--format", "json", *options))
    assert (row["heuristics"], row["defence"], row["rows"]) == ("batchnorm", "none", 1)
    assert row["front"] in ("alone", "flagged")
    nobody = json.loads(output_of(capsys, "tradeoff", "--format", "json", "--model", "vgg11"))
    assert nobody == []


def test_tradeoff_is_drawn(capsys, tmp_path):
    assert call(["tradeoff", "--out", str(tmp_path / "new" / "a.svg")]) == 0
    assert f"drawn: {tmp_path / 'new' / 'a.svg'}" in capsys.readouterr().err
    text = (tmp_path / "new" / "a.svg").read_text(encoding="utf-8")
    assert "robust accuracy, epsilon 0.03" in text
    shown = output_of(capsys, "tradeoff", "--out", str(tmp_path / "a.jpeg"), code=2)
    assert "name a file that ends in .png or .svg" in shown


def test_query_answers_and_cannot_write(capsys):
    sql = "select model, original, lfc, gap from leaderboard where cutoff = 4 and defence = 'none'"
    rows = json.loads(output_of(capsys, "query", sql, "--format", "json"))
    assert len(rows) == 2
    assert all(row["gap"] == pytest.approx(row["original"] - row["lfc"]) for row in rows)
    assert "can only read" in output_of(capsys, "query", "delete from scores", code=1)
    assert output_of(capsys, "query", "select count(*) from scores").split()[-1] == "40"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "--suite", "smal"],
            "there is no suite 'smal'; valid: classification, detection, paper, ",
        ),
        (["run", "--suite", "no.yaml"], "the suite file no.yaml cannot be read"),
        (["run", "--suite", "small.yaml", "--model", "lenet"], "did you mean 'lenet5'"),
        (["run", "--suite", "small.yaml", "--attack", "fgsm(steps=3)"], "command line: attack"),
        (["run", "--suite", "small.yaml", "--component", "lfc@99"], "lies beyond radius 99"),
        (["run", "--suite", "small.yaml", "--model", "lenet5(depth=3)"], "error: command line: "),
        (["run", "--suite", "small.yaml", "--optimizer", "sgd"], "did you mean 'SGD'?"),
        (["run", "--suite", "small.yaml", "--set", "epochs"], "write it as KEY=VALUE"),
        (["run", "--suite", "small.yaml", "--device", "tpu", "--seeds", "3"], "'tpu' is no device"),
        (["run", "--suite", "small.yaml", "--executor", "rya", "--seeds", "3"], "no executor"),
        (["leaderboard", "--radius", "5"], "there are no rows for radius 5; there are: 4"),
        (["leaderboard", "--sort", "originl"], "originl"),
        (["tradeoff", "--radius", "5"], "there are no LFCs of radius 5; there are: 4"),
        (["tradeoff", "--epsilon", "0.05"], "there are: 0.03, 0.06"),
    ],
)
def test_mistakes_end_in_one_message(capsys, arguments, message):
    complete = [*arguments, "--cache-dir", "cache"] if arguments[0] == "run" else arguments
    shown = output_of(capsys, *complete, code=2)
    assert shown.startswith("error: ")
    assert message in shown
    assert "Traceback" not in shown


def test_a_missing_database_is_named(capsys):
    shown = output_of(capsys, "leaderboard", "--db", "nowhere.db", code=1)
    assert "there is no results database at nowhere.db" in shown
    assert not Path("nowhere.db").exists()


def test_a_file_that_is_no_database_is_named(capsys):
    Path("text.db").write_text("hello, I am a text\n" * 100, encoding="utf-8")
    shown = output_of(capsys, "leaderboard", "--db", "text.db", code=1)
    assert shown.startswith("error: ")
    assert "text.db" in shown


def test_failures_end_with_exit_code_1(capsys):
    arguments = ["run", "--suite", "small.yaml", "--cache-dir", "cache", "--db", "failed.db"]
    assert call([*arguments, "--learning-rate", "3e38", "--optimizer", "SGD"]) == 1
    shown = capsys.readouterr().out
    assert "2 failed, 2 skipped" in shown
    assert "the training loss is" in shown


def test_list_shows_parameters_and_their_defaults(capsys):
    shown = output_of(capsys, "list", "attacks")
    assert "steps: int >= 1 = 20" in shown
    assert "Projected gradient steps" in shown
    for kind in ("datasets", "models", "heuristics", "decompositions", "suites", "executors"):
        assert len(output_of(capsys, "list", kind).splitlines()) > 1
    assert "image-folder:PATH" in output_of(capsys, "list", "datasets")


def test_plugins_shows_what_each_provides(capsys):
    shown = output_of(capsys, "plugins")
    assert "attack pgd" in shown
    assert "hfcbench-jpeg" in shown

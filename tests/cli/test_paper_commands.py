"""`hfcbench claims` and `hfcbench figures` as a user types them, on a small real run."""

from __future__ import annotations

import csv
import io

import pytest

from hfcbench.cli.main import call

TINY = [
    *("--scale", "quick", "--dataset", "planted-band", "--model", "lenet5", "--epochs", "1"),
    *("--train-samples", "60", "--test-samples", "40", "--set", "curves.samples=20"),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    path = str(folder / "results.db")
    arguments = ["run", "--suite", "paper/table1", "--db", path, "--cache-dir", str(folder), *TINY]
    assert call(arguments) == 0
    return path


def output_of(capsys, *arguments, code=0):
    capsys.readouterr()
    assert call(list(arguments)) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def test_claims_that_were_run_have_verdicts_and_the_others_commands(database, capsys):
    shown = output_of(capsys, "claims", "--db", database, *TINY)
    (line,) = [line for line in shown.splitlines() if "lfc-generalises-better" in line]
    assert line.split()[0] in ("supported", "contradicted", "undecided")
    assert shown.count("not run") == 17
    assert "to run: hfcbench run --suite paper/fig3 --dataset planted-band --model lenet5" in shown
    assert f"--scale quick --set curves.samples=20 --db {database}" in shown


def test_claims_as_csv_have_every_digit(database, capsys):
    shown = output_of(
        *(capsys, "claims", "lfc-generalises-better", "--db", database, "--format", "csv"), *TINY
    )
    (row,) = csv.DictReader(io.StringIO(shown))
    assert float(row["low"]) <= float(row["effect"]) <= float(row["high"])
    assert (row["dataset"], row["model"], row["scale"]) == ("planted-band", "lenet5", "quick")


def test_a_dataset_that_was_never_used_is_not_run(database, capsys):
    shown = output_of(capsys, "claims", "--db", database, "--scale", "quick")
    assert shown.count("not run") == 18


def test_figures_need_neither_images_nor_checkpoints(database, capsys, tmp_path):
    shown = output_of(
        *(capsys, "figures", "paper/table1", "--db", database, "--out", str(tmp_path)), *TINY
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert {"table1.png", "table1.svg", "table1.csv", "table1.md"} <= names
    assert len(shown.splitlines()) == len(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["figures", "paper/fig3", *TINY], "hfcbench run --suite paper/fig3 --dataset planted"),
        (["figures", "paper/fig3"], "run it: hfcbench run --suite paper/fig3"),
        (["figures", "smoke"], "there are no figures of the suite 'smoke'"),
        (["figures", "paper/fig9"], "there is no suite 'paper/fig9'"),
        (["claims", "lfc-generalizes"], "did you mean 'lfc-generalises-better'"),
    ],
)
def test_what_is_missing_is_said_in_one_message(database, capsys, tmp_path, arguments, message):
    out = ["--out", str(tmp_path)] if arguments[0] == "figures" else []
    capsys.readouterr()
    assert call([*arguments, *out, "--db", database]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_site_has_the_verdicts_of_the_command(database, capsys, tmp_path):
    shown = output_of(
        *(capsys, "claims", "lfc-generalises-better", "--db", database, "--format", "csv"), *TINY
    )
    (row,) = csv.DictReader(io.StringIO(shown))
    site = tmp_path / "site"
    output_of(capsys, "report", "--db", database, "--out", str(site), *TINY)
    page = (site / "claims.html").read_text(encoding="utf-8")
    assert "planted-band, lenet5, scale quick" in page
    assert f" {row['verdict']}</th>" in page
    effect = f"{float(row['effect']):+.3f}".replace("-", "−")
    assert f">{effect}<small>" in page
    # As the suites come, nothing of it was run.
    output_of(capsys, "report", "--db", database, "--out", str(site))
    again = (site / "claims.html").read_text(encoding="utf-8")
    assert "planted-band, lenet5" not in again
    assert again.count(">hfcbench run --suite paper/") == 18

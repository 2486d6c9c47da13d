"""The pages say what the database holds, and a page or picture that drifts from it is named."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

from hfcbench.cli.main import call
from hfcbench.published_results.__main__ import main
from hfcbench.reports.claims.statements import STATEMENTS


def ask(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def table_below(text, heading):
    """The rows of the first Markdown table below a heading, as dictionaries."""
    lines = text[text.index(heading) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| "))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


@pytest.fixture(scope="module")
def folder(studied, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages") / "results"
    assert main(["--db", str(studied), "--out", str(out)]) == 0
    return out


@pytest.fixture
def pages(folder, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(folder, tmp_path / "results")


def check(studied, pages, capsys):
    capsys.readouterr()
    code = main(["--db", str(studied), "--out", str(pages), "--check"])
    return code, capsys.readouterr().err


def test_written_pages_pass_and_are_not_written_again(studied, pages, capsys):
    assert check(studied, pages, capsys) == (0, "")
    assert main(["--db", str(studied), "--out", str(pages)]) == 0
    assert capsys.readouterr().out == ""
    names = {path.name for path in pages.iterdir()}
    assert {"index.md", "claims.md", "table1.md", "table2.md", "leaderboard.md"} <= names
    assert {"detection.md", "detection-1.png"} <= names
    assert "leaderboard-photo-patches-quick-max-dark.png" in names


@pytest.mark.parametrize("name", ["table2.md", "leaderboard-photo-patches-quick-max-light.png"])
def test_what_is_missing_or_changed_is_named_and_mended(studied, pages, capsys, name):
    path = pages / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.856", b"0.857") + b"\n" if name[-1] == "d" else b"gone")
    code, said = check(studied, pages, capsys)
    assert code == 1
    assert f"{name} is not what the database gives" in said
    path.unlink()
    assert f"{name} is missing" in check(studied, pages, capsys)[1]
    assert main(["--db", str(studied), "--out", str(pages)]) == 0
    assert path.read_bytes() == content


def test_files_that_are_not_made_are_named_and_go(studied, pages, capsys):
    (pages / "old.md").write_text("# Old\n")
    code, said = check(studied, pages, capsys)
    assert (code, "old.md is not made from the database" in said) == (1, True)
    assert main(["--db", str(studied), "--out", str(pages)]) == 0
    assert not (pages / "old.md").exists()


def test_other_numbers_make_other_pages_and_pictures(studied, pages, tmp_path, capsys):
    other = shutil.copy(studied, tmp_path / "other.db")
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE scores SET value = 0.0125 WHERE value < 0.9")
    said = check(other, pages, capsys)[1]
    for name in ("table1.md", "table2.md", "leaderboard-photo-patches-quick-max-light.png"):
        assert f"{name} is not what the database gives" in said


def test_table_1_is_the_databases_beside_the_papers(studied, folder):
    rows = table_below((folder / "table1.md").read_text(), "## photo-patches")
    assert [row["trained on"] for row in rows] == ["lfc@4", "lfc@12", "hfc@4", "hfc@12"]
    found = dict(
        ask(
            studied,
            "SELECT trained_on, value FROM results WHERE metric = 'top1' AND split = 'test' "
            "AND component = 'original' AND trained_on <> 'original'",
        )
    )
    # As printed in the paper.
    published = {"lfc@4": 0.6167, "lfc@12": 0.7516, "hfc@4": 0.2002, "hfc@12": 0.0997}
    for row in rows:
        name = row["trained on"]
        assert row["test, ours"].startswith(f"{found[name]:.3f} [")
        assert row["test, paper"] == f"{published[name]:.3f}"
        assert row["test, difference"] == f"{found[name] - published[name]:+.3f}"


def test_table_2_is_the_databases_beside_the_papers(studied, folder):
    text = (folder / "table2.md").read_text()
    ours, papers, differences = (
        table_below(text, heading)
        for heading in ("### Ours\n", "### The paper's", "### Ours minus the paper's")
    )
    ((found,),) = ask(
        studied,
        "SELECT value FROM results WHERE metric = 'top1' AND heuristics = 'vanilla' AND "
        "defence = 'kernel-smoothing' AND attack LIKE 'pgd%' AND abs(epsilon - 0.09) < 1e-9",
    )
    assert (ours[4]["model"], ours[4]["rho"]) == ("natural", "1")
    assert ours[4]["pgd 0.09"].startswith(f"{found:.3f} [")
    assert papers[4]["pgd 0.09"] == "0.078"
    assert differences[4]["pgd 0.09"] == f"{found - 0.078:+.3f}"
    assert [papers[row]["clean"] for row in (0, 5, 9)] == ["0.856", "0.707", "0.638"]
    # The quick scale leaves out one strength.
    assert ours[3] == {"model": "natural", "rho": "0.5"} | dict.fromkeys(list(ours[3])[2:], "")
    assert "60 training images instead of 4,000" in text
    assert "1 epochs instead of 100" in text
    assert "hfcbench run --suite paper/table2 --epochs 1 --train-samples 60" in text


def test_claims_are_those_of_the_command(studied, folder, capsys):
    text = (folder / "claims.md").read_text()
    for statement in STATEMENTS:
        assert f"## {statement.name}\n" in text
        assert statement.source in text
    names = [item.name for item in STATEMENTS if item.suite == "paper/table2"]
    shrunk = ["--scale", "quick", "--epochs", "1", "--train-samples", "60", "--test-samples", "40"]
    shrunk += ["--attack-samples", "20", "--db", str(studied), "--format", "json"]
    capsys.readouterr()
    assert call(["claims", *names, *shrunk]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(names) == 2
    for row in rows:
        (shown,) = table_below(text, f"## {row['claim']}\n")
        assert shown["verdict"] == row["verdict"]
        assert shown["effect [95%]"].startswith(f"{row['effect']:+.3f} [{row['low']:+.3f}, ")
    summary = {row["statement"]: row for row in table_below(text, "## Summary")}
    counted = summary[f"[{rows[0]['claim']}](#{rows[0]['claim']})"]
    assert counted[rows[0]["verdict"]] == "1"


def test_the_sites_claims_are_of_the_studies_that_were_asked_for(studied, tmp_path):
    assert call(["report", "--db", str(studied), "--out", str(tmp_path), "--no-pictures"]) == 0
    page = (tmp_path / "claims.html").read_text(encoding="utf-8")
    # None of them is as the suites come.
    assert re.findall("<h2>(photo-patches.*)</h2>", page) == [
        "photo-patches, resnet18(width=8), scale quick, 60 training images"
    ]
    (table,) = re.findall('<table id="claims-0">.*?</table>', page, re.DOTALL)
    for statement in STATEMENTS:
        was_run = statement.suite in ("paper/table1", "paper/table2")
        assert (statement.name in table) == was_run
        assert statement.name in page


def test_the_first_page_tells_what_was_run(studied, folder):
    text = (folder / "index.md").read_text()
    for (command,) in ask(studied, "SELECT command FROM runs"):
        assert f"| `{command}` |" in text
        # To be repeated where results.db is.
        assert f"    {command.removesuffix(' --db written.db')}\n" in text
    assert "things drawn on photographs" in text
    ((scores,),) = ask(studied, "SELECT COUNT(*) FROM scores")
    assert f"holds {scores:,} scores of 7 trained models" in text
    rows = table_below(text, "## Trainings")
    assert [row["trainings"] for row in rows] == ["2", "4", "1"]
    assert {row["scale"] for row in rows} == {"quick (reduced)", "full"}
    ((torch,),) = ask(studied, "SELECT DISTINCT torch_version FROM runs")
    assert table_below(text, "Versions:")[0]["torch"] == torch
    assert len(table_below(text, "## What differs")) == 2


def test_leaderboards_have_the_rows_of_the_database(studied, folder):
    text = (folder / "leaderboard.md").read_text()
    rows = table_below(text, "## photo-patches, scale quick, rescaling max")
    found = ask(
        studied,
        "SELECT DISTINCT heuristics, defence, original FROM leaderboard "
        "WHERE trained_on = 'original' AND metric = 'top1' ORDER BY original DESC",
    )
    assert len(rows) == len(found) == 8
    assert [row["original"] for row in rows] == [f"{value:.3f}" for _, _, value in found]
    for name in re.findall(r'(?:src|srcset)="([^"]+)"', text):
        assert (folder / name).is_file()


def test_detection_has_every_component(folder):
    text = (folder / "detection.md").read_text()
    rows = table_below(text, "## photo-objects")
    assert [row["component"] for row in rows][:2] == ["original", "lfc@12"]
    assert len(rows) == 7
    assert "](detection-1.png)" in text


def test_a_database_without_studies_has_pages_that_say_so(compacted, tmp_path):
    assert main(["--db", str(compacted), "--out", str(tmp_path)]) == 0
    assert "no results of this table yet" in (tmp_path / "table1.md").read_text()
    assert "Not run yet." in (tmp_path / "detection.md").read_text()
    assert "No study contradicts a statement." in (tmp_path / "claims.md").read_text()


def test_a_missing_database_is_one_message(tmp_path, capsys):
    assert main(["--db", str(tmp_path / "absent.db"), "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert main(["--nonsense"]) == 2

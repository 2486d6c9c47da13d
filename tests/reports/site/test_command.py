"""`hfcbench report` as it is typed."""

from __future__ import annotations

import sys

import pytest

from hfcbench.cli.main import call
from hfcbench.reports.site import extra
from hfcbench.results.opening import open_store


def test_a_site_is_written_and_named(database, tmp_path, capsys):
    out = tmp_path / "site"
    assert call(["report", "--db", str(database), "--out", str(out)]) == 0
    count = len(list(out.rglob("*.html")))
    assert capsys.readouterr().out == f"{count} pages; open {out / 'index.html'}\n"
    assert (out / "claims.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "pet"], "no dataset 'pet'; did you mean 'pets'?"),
        (["--db", "missing.db"], "there is no results database at missing.db"),
    ],
)
def test_mistakes_are_one_message(database, tmp_path, capsys, arguments, message):
    given = ["report", "--db", str(database), "--out", str(tmp_path / "site"), *arguments]
    assert call(given) != 0
    assert message in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_folder_with_other_files_is_left_alone(database, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    assert call(["report", "--db", str(database), "--out", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_database_without_trainings_says_what_to_run(tmp_path, capsys):
    path = tmp_path / "results.db"
    open_store(path, create=True).close()
    assert call(["report", "--db", str(path), "--out", str(tmp_path / "site")]) == 1
    assert "hfcbench run --suite" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_a_missing_extra_is_named(tmp_path, capsys, monkeypatch, missing):
    found = extra.find_spec
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == missing else found(name))
    assert call(["report", "--db", "any.db", "--out", str(tmp_path / "site")]) == 2
    said = capsys.readouterr().err
    assert f"the report needs {missing}, which is not installed" in said
    assert 'pip install "hfcbench[report]"' in said


def test_help_loads_neither_templates_nor_database(capsys, monkeypatch):
    for name in ("jinja2", "hfcbench.reports.site.building", "hfcbench.results.store"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert call(["report", "--help"]) == 0
    assert "--out" in capsys.readouterr().out
    assert "jinja2" not in sys.modules
    assert "hfcbench.reports.site.building" not in sys.modules

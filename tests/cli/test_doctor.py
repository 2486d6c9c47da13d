"""`hfcbench doctor` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hfcbench.cli.main import call
from hfcbench.results.opening import open_store


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)


def test_every_line_says_how_it_is(capsys, tmp_path):
    open_store(tmp_path / "results.db", create=True).close()
    assert call(["doctor", "--db", str(tmp_path / "results.db"), "--cache-dir", "cache"]) == 0
    shown = capsys.readouterr().out
    assert str(tmp_path) not in shown
    assert "~/results.db" in shown
    sections = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert sections[:-1] == ["versions", "devices", "disk", "plugins", "database"]
    assert sections[-1].endswith(" warnings, 0 failures")
    assert "\x1b" not in shown


def test_a_failure_is_exit_code_1_and_says_what_mends_it(capsys, tmp_path):
    (tmp_path / "text.db").write_text("text" * 100, encoding="utf-8")
    assert call(["doctor", "--db", "text.db", "--cache-dir", "cache", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert all(set(check) == {"section", "name", "state", "said", "mend"} for check in found)
    (failed,) = [check for check in found if check["state"] == "fail"]
    assert failed["section"] == "database"
    assert failed["mend"] == "name another file with --db"


def test_passwords_are_masked(capsys):
    pytest.importorskip("psycopg")
    url = "postgresql://me:s3cret@127.0.0.1:1/results"
    assert call(["doctor", "--db", url, "--cache-dir", "cache", "--json"]) == 1
    shown = capsys.readouterr().out
    assert "s3cret" not in shown
    assert "cannot be reached" in shown

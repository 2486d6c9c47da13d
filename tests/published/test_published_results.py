"""The published results, `results.db` at the top level, are fit to be published."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from hfcbench.published_results.__main__ import main
from hfcbench.published_results.fitness import CHECKS
from hfcbench.results.database.revisions import REVISIONS

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results.db"


@pytest.mark.parametrize("name", CHECKS)
def test_the_published_results_pass(name):
    assert PUBLISHED.is_file(), "there is no results.db at the top level"
    assert [str(problem) for problem in CHECKS[name](PUBLISHED)] == []


def test_they_open_in_plain_sqlite_and_the_leaderboard_answers():
    with closing(sqlite3.connect(f"{PUBLISHED.as_uri()}?mode=ro&immutable=1", uri=True)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        models = plain.execute("SELECT DISTINCT model FROM leaderboard").fetchall()
        scores = plain.execute("SELECT COUNT(*) FROM scores").fetchone()[0]
    assert len(models) > 1
    assert scores > 1000


def test_the_pages_are_what_the_database_gives(capsys):
    pages = ROOT / "docs" / "results"
    code = main(["--db", str(PUBLISHED), "--out", str(pages), "--check"])
    assert (code, capsys.readouterr().err) == (0, "")


def test_the_newest_revision_is_alembics_head():
    migrations = ScriptDirectory(str(ROOT / "hfcbench" / "results" / "migrations"))
    assert migrations.get_heads() == [REVISIONS[-1]]

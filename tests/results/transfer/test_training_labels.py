"""Kept training labels through merges, exports and checks, as checkpoints go through them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hfcbench.cli.main import call
from hfcbench.results.database.location import parse_location
from hfcbench.results.transfer.merge import merge

KEPT = "SELECT sha256 FROM artifacts WHERE kind = 'training-labels'"


def ask(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
        return rows


@pytest.fixture
def two(tmp_path):
    return tmp_path / "one.db", tmp_path / "two.db"


def join(target: Path, source: Path):
    return merge(parse_location(target), parse_location(source))


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_an_export_holds_them(two, filled, tmp_path, file_format):
    one, other = two
    filled(one, labels="cd")
    folder = str(tmp_path / "files")
    assert call(["db", "export", folder, "--db", str(one), "--format", file_format]) == 0
    assert call(["db", "import", folder, "--db", str(other)]) == 0
    assert ask(other, "SELECT * FROM artifacts") == ask(one, "SELECT * FROM artifacts")
    assert ask(other, KEPT) == [("cd",), ("cd",)]


def test_a_merge_brings_them_along(two, filled):
    one, other = two
    filled(one, seeds=(0,))
    filled(other, seeds=(1,), labels="cd")
    assert join(one, other).disagreements == []
    assert ask(one, KEPT) == [("cd",)]
    assert call(["db", "check", "--db", str(one)]) == 0


def test_a_known_training_gains_them_and_never_a_second_file(two, filled):
    one, other = two
    filled(one, seeds=(0,))
    filled(other, seeds=(0,), labels="cd")
    for source in (other, other):
        report = join(one, source)
        assert report.known["trainings"] == 1
        assert ask(one, KEPT) == [("cd",)]
    elsewhere = other.with_name("elsewhere.db")
    filled(elsewhere, seeds=(0,), labels="cd", folder="b")
    assert join(one, elsewhere).disagreements == []
    assert ask(one, KEPT) == [("cd",)]


def test_other_labels_of_one_training_are_said_and_kept_apart(two, filled):
    one, other = two
    filled(one, seeds=(0,), labels="cd")
    filled(other, seeds=(0,), labels="ef")
    (line,) = join(one, other).disagreements
    assert "its training labels are ef, the target's are cd" in line
    assert ask(one, KEPT) == [("cd",)]
    ((content,),) = ask(one, "SELECT content FROM disagreements")
    assert '"sha256":"ef"' in content
    # A merge back finds the same again, and the source's own is no news to it.
    join(other, one)
    assert ask(other, KEPT) == [("ef",)]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ""])
def test_paths_that_lead_elsewhere_are_refused(two, filled, path, capsys):
    one, other = two
    filled(other, seeds=(0,), labels="cd")
    ask(other, f"UPDATE artifacts SET path = '{path}' WHERE kind = 'training-labels'")
    assert call(["db", "merge", str(other), "--db", str(one)]) == 1
    assert "does not stay in the artifacts folder" in capsys.readouterr().err


def test_a_training_must_have_its_checkpoint_beside_them(two, filled, capsys):
    one, _ = two
    filled(one, seeds=(0,), labels="cd")
    ask(one, "DELETE FROM artifacts WHERE kind = 'checkpoint'")
    assert call(["db", "check", "--db", str(one)]) == 1
    assert "it has no checkpoint" in capsys.readouterr().out

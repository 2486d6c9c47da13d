"""show, verify and db check on a model that was trained on shuffled labels."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hfcbench.cli.main import call

SUITE = """\
title: One small training on shuffled labels
datasets: ["planted-band(size=16, train_per_class=20, test_per_class=10)"]
schedule: {epochs: 1, batch_size: 20, learning_rate: 0.002}
blocks:
  - models: [lenet5]
    heuristics: [label-shuffling]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    (folder / "one.yaml").write_text(SUITE, encoding="utf-8")
    assert call(["run", "--suite", str(folder / "one.yaml"), *places(folder)]) == 0
    return folder


@pytest.fixture
def place(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def places(folder: Path) -> list[str]:
    database, cache = str(folder / "results.db"), str(folder / "cache")
    return ["--db", database, "--cache-dir", cache, "--device", "cpu"]


def ask(place: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(place / "results.db")) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
        return rows


def labels_of(place: Path) -> tuple[str, str, str]:
    """The training, and path and sha256 of its labels."""
    (row,) = ask(
        place,
        "select identity, path, sha256 from artifacts join trainings using (training_id) "
        "where kind = 'training-labels'",
    )
    return row


def output(capsys, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert call(list(arguments)) == code
    return capsys.readouterr().out


def test_show_lists_the_file(place, capsys):
    identity, path, sha256 = labels_of(place)
    text = output(capsys, "show", identity, *places(place)[:2])
    assert f"\ntraining labels\n  path: {path}\n  sha256: {sha256}\n" in text
    assert "\ncheckpoint\n" in text


def test_verify_trains_again_and_compares_the_file(place, capsys):
    identity, *_ = labels_of(place)
    text = output(capsys, "verify", identity, *places(place))
    assert "trained again: the same checkpoint, the same training labels\nverified\n" in text
    ask(place, "update artifacts set sha256 = 'ab' where kind = 'training-labels'")
    text = output(capsys, "verify", identity, *places(place), code=1)
    assert "the same checkpoint, not the same training labels\nNOT verified\n" in text


def test_check_hashes_the_file(place, capsys):
    _, path, _ = labels_of(place)
    file = place / "checkpoints" / path
    database = ["--db", str(place / "results.db")]
    check = ["db", "check", *database, "--artifacts", str(place / "checkpoints")]
    assert "no problems" in output(capsys, *check)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    altered = f"its training labels {file} is not the file that was stored"
    assert altered in output(capsys, *check, code=1)
    file.unlink()
    assert f"its training labels {file} cannot be read" in output(capsys, *check, code=1)
    assert "no problems" in output(capsys, "db", "check", *database)
    ask(place, "update artifacts set path = '../x' where kind = 'training-labels'")
    assert "does not stay in the artifacts folder" in output(
        capsys, "db", "check", *database, code=1
    )

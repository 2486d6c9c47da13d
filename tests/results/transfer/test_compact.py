"""Copies for publishing: small, one file, silent about machines, with every result as it was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing

import build_records as build
import numpy as np
import pytest

from hfcbench.cli.main import call
from hfcbench.results.opening import open_store
from hfcbench.results.transfer.machine_traces import (
    command_without_traces,
    plain_platform,
    traces_in,
    without_traces,
)
from hfcbench.results.transfer.rounding import rounded


def ask(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def change(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def run(capsys, *arguments, code=0):
    capsys.readouterr()
    assert call(["db", *map(str, arguments)]) == code, capsys.readouterr()
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.fixture
def source(tmp_path, filled):
    path = tmp_path / "results.db"
    filled(path)
    return path


KEPT = (
    "SELECT identity, configuration, specification FROM trainings ORDER BY identity",
    "SELECT identity, specification, n FROM evaluations ORDER BY identity",
    "SELECT * FROM scores ORDER BY evaluation_id, metric_id",
    "SELECT * FROM conditions ORDER BY condition_id",
    "SELECT * FROM artifacts ORDER BY artifact_id",
    "SELECT evaluation_id, predicted_dtype, predicted FROM predictions ORDER BY evaluation_id",
)


def test_results_are_kept_and_the_original_is_left_alone(source, tmp_path, capsys):
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    out = tmp_path / "small.db"
    text = run(capsys, "compact", "--db", source, "--out", out)
    assert "MB" in text
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    for sql in (*KEPT, "SELECT * FROM predictions", "SELECT * FROM epochs", "SELECT * FROM notes"):
        assert ask(out, sql) == ask(source, sql)
    assert "no problems" in run(capsys, "check", "--db", out)
    assert sorted(path.name for path in tmp_path.glob("small.db*")) == ["small.db"]


def test_it_is_one_file_without_a_log_or_free_pages(source, tmp_path, capsys):
    change(source, "PRAGMA journal_mode = WAL")
    out = tmp_path / "small.db"
    run(capsys, "compact", "--db", source, "--out", out)
    assert ask(source, "PRAGMA journal_mode") == [("wal",)]
    assert ask(out, "PRAGMA journal_mode") == [("delete",)]
    assert ask(out, "PRAGMA freelist_count") == [(0,)]
    with open_store(out, read_only=True) as store:
        assert len(store.leaderboard(sort="seed").frame)


def test_small_pages_waste_less_than_those_of_sqlite(source, tmp_path, capsys):
    out, usual = tmp_path / "small.db", tmp_path / "usual.db"
    run(capsys, "compact", "--db", source, "--out", out)
    shutil.copy(out, usual)
    with closing(sqlite3.connect(usual, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute("VACUUM")
    assert out.stat().st_size < usual.stat().st_size


def test_names_of_machines_and_paths_go(source, tmp_path, capsys):
    change(
        source,
        "UPDATE runs SET host = 'node17', platform = 'Linux-6.1.0-18-amd64-x86_64-with-glibc2.36', "
        "command = 'hfcbench run --data-root ''/home/ada l/data'' --db=/srv/x/results.db'",
        'UPDATE datasets SET parameters = \'{"path":"/home/ada/cifar10-jpeg"}\'',
        "UPDATE failures SET traceback = 'File \"/home/ada/hfcbench/loop.py\", line 3'",
        "INSERT INTO claims VALUES ('a', 1, 'node17', 1, 1.0, '2026-01-01', '2026-01-01')",
    )
    out = tmp_path / "small.db"
    text = run(capsys, "compact", "--db", source, "--out", out)
    run_rows = ask(out, "SELECT DISTINCT host, platform, command FROM runs")
    assert run_rows == [
        (
            "unnamed",
            "Linux-6.1.0-x86_64-with-glibc2.36",
            "hfcbench run --data-root data --db=results.db",
        )
    ]
    assert ask(out, "SELECT parameters FROM datasets") == [('{"path":"cifar10-jpeg"}',)]
    assert ask(out, "SELECT traceback FROM failures") == [('File "loop.py", line 3',)]
    assert ask(out, "SELECT * FROM claims") == []
    assert "left out: 1 rows of claims" in text
    assert "runs.host" in text
    assert "no problems" in run(capsys, "check", "--db", out)


def test_a_path_that_an_identity_is_over_is_refused(source, tmp_path, capsys):
    change(
        source, "UPDATE trainings SET specification = replace(specification, '{', '{\"/a/b\":1,')"
    )
    out = tmp_path / "small.db"
    text = run(capsys, "compact", "--db", source, "--out", out, code=1)
    assert "specification of trainings names /a/b" in text
    assert "relative" in text
    assert not list(tmp_path.glob("small.db*"))


def test_parts_can_be_left_out(source, tmp_path, capsys):
    assert ask(source, "SELECT COUNT(*) FROM epochs") != [(0,)]
    out = tmp_path / "small.db"
    parts = ("--without", "curves", "--without", "failures")
    text = run(capsys, "compact", "--db", source, "--out", out, *parts)
    for table in ("curves", "epochs", "failures"):
        assert ask(out, f"SELECT COUNT(*) FROM {table}") == [(0,)]
        assert f"rows of {table}" in text
    for sql in KEPT:
        assert ask(out, sql) == ask(source, sql)
    assert "no problems" in run(capsys, "check", "--db", out)


def test_rounding_keeps_classes_and_scores(source, tmp_path, capsys):
    out = tmp_path / "small.db"
    run(capsys, "compact", "--db", source, "--out", out, "--digits", 3)
    for sql in KEPT:
        assert ask(out, sql) == ask(source, sql)
    size = "SELECT SUM(LENGTH(loss)) + SUM(LENGTH(confidence)) FROM predictions"
    assert ask(out, size)[0][0] < 0.75 * ask(source, size)[0][0]
    (identity,) = ask(source, "SELECT identity FROM evaluations LIMIT 1")[0]
    with open_store(source, read_only=True) as before, open_store(out, read_only=True) as after:
        one, other = before.predictions(identity), after.predictions(identity)
    np.testing.assert_array_equal(one.predicted, other.predicted)
    np.testing.assert_allclose(other.loss, one.loss, rtol=5e-3)
    assert not np.array_equal(other.loss, one.loss)
    assert "no problems" in run(capsys, "check", "--db", out)


def test_corners_of_boxes_are_kept_to_a_part_of_a_pixel(tmp_path, capsys):
    source, out = tmp_path / "results.db", tmp_path / "small.db"
    with open_store(source, create=True) as store:
        store.add_dataset(build.detection_dataset())
        run_id, detector = store.begin_run(build.run()), build.detector()
        store.add_training(detector, run_id)
        store.add_evaluations([build.detected(detector)], run_id)
    run(capsys, "compact", "--db", source, "--out", out, "--digits", 3)
    (identity,) = ask(source, "SELECT identity FROM evaluations")[0]
    with open_store(source, read_only=True) as before, open_store(out, read_only=True) as after:
        one, other = before.detections(identity), after.detections(identity)
    assert 0 < np.abs(other.boxes - one.boxes).max() <= 1 / 128
    np.testing.assert_array_equal(other.boxes * 64, np.rint(other.boxes * 64))
    np.testing.assert_array_equal(other.scores, one.scores)
    assert "no problems" in run(capsys, "check", "--db", out)


@pytest.mark.parametrize("digits", [1, 2, 3, 5])
def test_rounding_is_to_so_many_digits(digits):
    values = np.random.default_rng(0).lognormal(0, 20, 10_000).astype(np.float32)
    with np.errstate(over="raise"):
        near = rounded(values, digits)
    assert near.dtype == np.float32
    relative = np.abs(near.astype(float) - values) / values
    assert relative.max() <= 0.5 * 10.0 ** -(digits - 1)


def test_what_is_no_number_and_the_largest_number_stay():
    largest = np.finfo(np.float32).max
    values = np.array([np.nan, np.inf, -np.inf, 0, -0.0, largest, -largest], np.float32)
    np.testing.assert_array_equal(rounded(values, 2), values)
    assert np.signbit(rounded(values, 2)[4])
    np.testing.assert_array_equal(rounded(values, 9), values)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--out", "there.db"), "there is a file at"),
        (("--out", "nowhere/small.db"), "there is no folder"),
        (("--out", "small.db", "--without", "curve"), "did you mean 'curves'"),
        (("--out", "small.db", "--db", "absent.db"), "there is no results database"),
        (("--out", "small.db", "--db", "postgresql://h/d"), "on a server"),
    ],
)
def test_what_cannot_be_done_is_one_message(source, tmp_path, capsys, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    shutil.copy(source, "there.db")
    text = run(capsys, "compact", *arguments, code=2 if "curve" in arguments else 1)
    assert says in text
    assert not (tmp_path / "small.db").exists()


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("hfcbench run --dataset image-folder:/data/cifar10-jpeg", "image-folder:cifar10-jpeg"),
        ("--db sqlite:////srv/x/results.db", "--db results.db"),
        ("--db postgresql://ada:secret@host/db", "--db postgresql://server"),
        ("C:\\Users\\ada\\results.db", "results.db"),
        ("at /tmp", "at tmp"),
    ],
)
def test_texts_lose_their_paths(text, without):
    assert without_traces(text).endswith(without)
    assert traces_in(text)
    assert traces_in(without_traces(text)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "epsilon 8/255, 1 / 3",
        "22/2287.safetensors",
        "https://host.org/cifar/page.html",
        "kernel-smoothing(rho=0.1)",
        "../shared/data",
        "timm/resnet18",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert traces_in(text) == ()
    assert without_traces(text) == text


def test_commands_stay_commands():
    command = "hfcbench run --set 'schedule={epochs: 3}' --data-root '/my data/set'"
    assert command_without_traces(command) == (
        "hfcbench run --set 'schedule={epochs: 3}' --data-root set"
    )
    assert command_without_traces("hfcbench 'open /a/b") == "hfcbench 'open b"
    assert plain_platform("macOS-14.5-arm64-arm-64bit") == "macOS-14.5-arm64-arm-64bit"

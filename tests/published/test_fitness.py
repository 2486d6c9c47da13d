"""Every check of published results finds nothing in a sound database, and each planted fault."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from hfcbench.plugins import load_plugins
from hfcbench.published_results import fitness
from hfcbench.published_results.fitness import CHECKS
from hfcbench.published_results.scales import full_size


def problems(path):
    """The problems that each check finds, but for checks that find none."""
    found = {name: [str(item) for item in check(path)] for name, check in CHECKS.items()}
    return {name: items for name, items in found.items() if items}


def change(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def change_specification(path, table, identity, **values):
    """Rewrites one stored specification; a value of None takes the key out."""
    with closing(sqlite3.connect(path)) as connection, connection:
        ask = f"SELECT specification FROM {table} WHERE identity = ?"
        document = json.loads(connection.execute(ask, (identity,)).fetchone()[0])
        for key, value in values.items():
            document.pop(key) if value is None else document.update({key: value})
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        update = f"UPDATE {table} SET specification = ? WHERE identity = ?"
        connection.execute(update, (text, identity))


def first(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_a_compacted_run_is_fit(made):
    assert problems(made) == {}


def test_what_a_run_leaves_is_not_fit(written):
    found = problems(written)
    assert set(found) == {"file", "traces"}
    assert "write-ahead log" in found["file"][0]
    assert {line.partition(":")[0] for line in found["traces"]} == {"runs.command", "runs.host"}


def test_a_large_file_is_refused(made, monkeypatch):
    monkeypatch.setattr(fitness, "MOST_BYTES", made.stat().st_size)
    assert "more than" in problems(made)["file"][0]


def test_a_damaged_file_is_refused(made):
    content = bytearray(made.read_bytes())
    content[5_000:40_000] = bytes(35_000)
    made.write_bytes(content)
    assert list(CHECKS["file"](made))


def test_what_is_no_database_is_refused(made):
    made.write_bytes(b"SQLite format 4\0" + bytes(5_000))
    assert "plain sqlite3 cannot read it" in str(list(CHECKS["file"](made))[-1])


def test_a_log_beside_the_file_is_refused(made):
    shutil.copy(made, made.with_name(made.name + "-wal"))
    assert "lies beside it" in str(next(CHECKS["file"](made)))


def test_an_older_schema_is_refused(made):
    change(made, "UPDATE alembic_version SET version_num = '0005'")
    assert "0005" in problems(made)["schema"][0]


@pytest.mark.parametrize("table", ["trainings", "evaluations"])
def test_an_identity_that_is_not_of_its_specification_is_found(made, table):
    identity = first(made, f"SELECT identity FROM {table} LIMIT 1")
    change_specification(made, table, identity, split="tset", seed=7)
    assert any("not the hash" in line for line in problems(made)["consistency"])


def test_a_wrong_score_is_found(made):
    change(
        made,
        "UPDATE scores SET value = value + 0.25 WHERE evaluation_id = 1 AND metric_id = "
        "(SELECT metric_id FROM metrics WHERE name = 'top1')",
    )
    assert "its predictions give" in problems(made)["consistency"][0]


@pytest.mark.parametrize("key", ["seed", "schedule", "heuristics", "procedure", "samples"])
def test_an_incomplete_training_is_found(made, key):
    identity = first(made, "SELECT identity FROM trainings LIMIT 1")
    change_specification(made, "trainings", identity, **{key: None})
    assert any(key in line for line in problems(made)["specifications"])


@pytest.mark.parametrize("key", ["defence", "epsilon", "component", "split", "search"])
def test_an_incomplete_evaluation_is_found(made, key):
    sql = "SELECT identity FROM evaluations WHERE specification LIKE '%\"search\"%' LIMIT 1"
    change_specification(made, "evaluations", first(made, sql), **{key: None})
    assert problems(made)["specifications"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trainings SET seed = seed + 1",
        "UPDATE trainings SET epochs = 100",
        "UPDATE trainings SET model_version = '9'",
        "UPDATE runs SET torch_version = ''",
        "UPDATE conditions SET epsilon = 0.5 WHERE epsilon IS NOT NULL",
        "UPDATE conditions SET rescaling = 'max' WHERE rescaling IS NOT NULL",
        "UPDATE conditions SET attack = 'none' WHERE attack <> 'none'",
    ],
)
def test_a_row_that_contradicts_its_specification_is_found(made, statement):
    assert first(made, "SELECT COUNT(*) FROM conditions WHERE attack <> 'none'")
    change(made, statement)
    assert problems(made)["specifications"]


def test_an_empty_leaderboard_is_found(made):
    change(made, "DELETE FROM scores")
    assert problems(made)["leaderboard"] == ["leaderboard: it has no rows"]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE runs SET host = 'node17'", "runs.host"),
        ("UPDATE runs SET command = 'hfcbench run --data-root /home/ada/data'", "runs.command"),
        ("UPDATE runs SET command = 'hfcbench run --db=/srv/results.db'", "runs.command"),
        ("UPDATE runs SET device_name = 'C:\\Users\\ada\\gpu'", "runs.device_name"),
        ("UPDATE runs SET command = 'x --db postgresql://ada:pw@host/db'", "runs.command"),
        ("UPDATE datasets SET source = '/data/cifar'", "datasets.source"),
        ('UPDATE datasets SET parameters = \'{"path":"/data/cifar"}\'', "datasets.parameters"),
        ("UPDATE artifacts SET path = '/srv/' || path", "artifacts.path"),
        (
            "INSERT INTO failures VALUES (1, 1, 'a', 'training', 'b', 'c', "
            "'File \"/root/x/loop.py\", line 3', '2026-01-01')",
            "failures.traceback",
        ),
        (
            "INSERT INTO claims VALUES ('a', 1, 'node17', 1, 1.0, '2026-01-01', '2026-01-01')",
            "claims.machine",
        ),
    ],
)
def test_traces_of_a_machine_are_found(made, statement, where):
    change(made, statement)
    assert {line.partition(":")[0] for line in problems(made)["traces"]} == {where}


def test_a_shrunk_row_that_says_full_is_found(made):
    change(made, "UPDATE trainings SET scale = 'full'", "UPDATE runs SET suite = 'paper/fig5'")
    found = problems(made)
    assert any("fewer epochs" in line for line in found["scales"])
    assert any("fewer training images" in line for line in found["scales"])
    assert any("fewer test images" in line for line in found["scales"])
    # Its specification still says what it is.
    assert any("its scale is 'full'" in line for line in found["specifications"])


def test_full_scale_of_a_suite_that_nobody_else_has_is_found(made):
    change(made, "UPDATE trainings SET scale = 'full'", "UPDATE runs SET suite = 'mine.yaml'")
    assert "'mine.yaml', whose full scale is not known" in problems(made)["scales"][0]


def test_full_sizes_are_those_of_the_paper_and_of_the_default_suite():
    registry = load_plugins().registry
    paper = full_size("paper/table2", registry)
    assert (paper.epochs, paper.train, paper.test, paper.attack) == (100, *[float("inf")] * 3)
    own = full_size("classification", registry)
    assert (own.epochs, own.test, own.attack) == (10, float("inf"), 200)

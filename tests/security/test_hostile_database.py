"""A database that somebody sent: it is read, and does nothing."""

from __future__ import annotations

import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hfcbench.cli.main import call
from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store

RECORDS = Path(__file__).parents[1] / "results" / "build_records.py"
ESCAPE = "\x1b]0;owned\x07\x1b[2J[bold]name[/bold]"


@pytest.fixture
def database(tmp_path):
    """A database with a training and an evaluation."""
    specification = importlib.util.spec_from_file_location("build_records", RECORDS)
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    path = tmp_path / "results.db"
    with open_store(path, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        training = build.training()
        store.add_training(training, run_id)
        store.add_evaluations(
            [build.evaluation(training), build.evaluation(training, "lfc@8")], run_id
        )
    return path


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE 'MARKER' AS other",
        "VACUUM INTO 'MARKER'",
        "SELECT load_extension('MARKER')",
        "SELECT writefile('MARKER', 'x')",
        "CREATE TABLE x (y)",
        "PRAGMA writable_schema = ON",
        "SELECT 1; DROP TABLE scores",
        "WITH x AS (SELECT 1) DELETE FROM scores",
    ],
)
def test_a_query_cannot_write_attach_or_load(database, marker, sql):
    before = database.read_bytes()
    for read_only in (True, False):
        with open_store(database, read_only=read_only) as store, pytest.raises(StoreError):
            store.query(sql.replace("MARKER", str(marker)))
    assert not marker.exists()
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "body",
    ["SELECT load_extension('MARKER') AS x", "SELECT writefile('MARKER', 'x') AS x"],
)
def test_a_view_that_wants_to_do_something(database, marker, body):
    view = f"CREATE VIEW results AS {body.replace('MARKER', str(marker))}"
    change(database, "DROP VIEW results", view)
    with open_store(database, read_only=True) as store, pytest.raises(StoreError):
        store.query("SELECT * FROM results")
    assert not marker.exists()


def test_a_trigger_that_wants_to_do_something(database, marker):
    change(
        database,
        f"CREATE TRIGGER hostile AFTER INSERT ON runs BEGIN SELECT load_extension('{marker}'); END",
    )
    with open_store(database) as store, pytest.raises(StoreError):
        store.query("SELECT 1") and store.begin_run(_run())
    assert not marker.exists()


def _run():
    specification = importlib.util.spec_from_file_location("build_records", RECORDS)
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    return build.run()


@pytest.mark.parametrize(
    "command", [["leaderboard"], ["leaderboard", "--wide"], ["query", "select * from trainings"]]
)
def test_names_do_not_reach_the_terminal_raw(database, command, capsys):
    change(database, f"UPDATE trainings SET model = '{ESCAPE}', heuristics = '{ESCAPE}'")
    assert call([*command, "--db", str(database)]) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "\x07" not in output
    assert "[bold]name[/bold]" in output


def test_show_does_not_let_them_through_either(database, capsys):
    change(database, f"UPDATE runs SET command = '{ESCAPE}', host = '{ESCAPE}'")
    with open_store(database, read_only=True) as store:
        (identity,) = store.leaderboard().frame["training"]
    assert call(["show", identity, "--db", str(database)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("path", ["../../x.safetensors", "/etc/passwd", "C:\\x", "a/../../b", ""])
def test_checkpoints_outside_the_artifacts_folder(database, path):
    change(database, f"UPDATE artifacts SET path = '{path}'")
    with open_store(database, read_only=True) as store:
        (identity,) = store.leaderboard().frame["training"]
        with pytest.raises(StoreError, match="does not stay in the artifacts folder"):
            store.trainings([identity])
    assert call(["verify", identity, "--db", str(database)]) in (1, 2)


def test_predictions_that_only_want_to_grow(database):
    import zlib

    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE predictions SET predicted = ?", (bomb,))
        connection.commit()
    with open_store(database, read_only=True) as store:
        (identity, *_) = store.evaluations()["evaluation"]
        with pytest.raises(StoreError, match="damaged"):
            store.predictions(identity)


def test_a_specification_that_is_no_json(database):
    change(database, "UPDATE trainings SET specification = '__import__(''os'')'")
    with open_store(database, read_only=True) as store:
        (identity,) = store.leaderboard().frame["training"]
        with pytest.raises(StoreError, match="stored JSON is damaged"):
            store.provenance(identity)

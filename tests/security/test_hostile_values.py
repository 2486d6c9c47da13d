"""Rows that hfcbench would never write: each ends in one message, and none controls a terminal."""

from __future__ import annotations

import _thread
import importlib.util
import json
import sqlite3
import threading
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from hfcbench.cli.main import EXIT_INTERRUPTED, call
from hfcbench.cli.tables import json_text, print_rows
from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store

RECORDS = Path(__file__).parents[1] / "results" / "build_records.py"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\r"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A database with a training and two evaluations, and their identities."""
    specification = importlib.util.spec_from_file_location("build_records", RECORDS)
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    path = tmp_path_factory.mktemp("template") / "results.db"
    training = build.training()
    evaluations = [build.evaluation(training), build.evaluation(training, "lfc@8")]
    with open_store(path, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)
        store.add_evaluations(evaluations, run_id)
    return path, training.identity, [item.identity for item in evaluations]


@pytest.fixture
def hostile(template, tmp_path):
    """Change a copy of the database as its sender might have."""

    def changed(*statements: str | tuple[str, tuple]) -> Path:
        path = tmp_path / "results.db"
        path.write_bytes(template[0].read_bytes())
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            for statement in statements:
                sql, values = statement if isinstance(statement, tuple) else (statement, ())
                connection.execute(sql, values)
            connection.commit()
        return path

    return changed


VALUES = {
    "date": ["UPDATE trainings SET started_at = 'never'", "UPDATE runs SET started_at = 'x'"],
    "json-deep": [("UPDATE trainings SET specification = ?", ("[" * 100_000,))],
    "json-kind": ["UPDATE trainings SET specification = '[]'"],
    "json-empty": ["UPDATE trainings SET specification = '{}'"],
    "state": ["UPDATE scores SET state = 'bogus', value = NULL"],
    "score-text": ["UPDATE scores SET value = 'abc'"],
    "score-blob": ["UPDATE scores SET value = x'00ff'"],
    "n-text": ["UPDATE predictions SET n = 'abc'"],
    "n-huge": ["UPDATE predictions SET n = 4611686018427387904"],
    "data-text": ["UPDATE predictions SET predicted = 'text'"],
    "data-number": ["UPDATE predictions SET predicted = 5"],
}


@pytest.mark.parametrize("statements", VALUES.values(), ids=VALUES)
def test_values_that_do_not_belong_are_one_message(statements, hostile, template, capsys):
    path = hostile(*statements)
    _, training, (first, second) = template
    places = ["--db", str(path)]
    codes = []
    for arguments in (
        ["leaderboard"],
        ["show", training],
        ["show", first],
        ["show", first, "--format", "suite"],
        ["compare", first, second],
        ["verify", first],
    ):
        codes.append(call([*arguments, *places]))
        message = capsys.readouterr().err
        assert "defect of hfcbench" not in message
        assert codes[-1] in (0, 1, 2)
    assert any(codes)


def test_a_negative_length_does_not_unpack_without_end(hostile, template, monkeypatch):
    bomb = zlib.compress(bytes(1_000_000), 9)
    path = hostile(
        ("UPDATE predictions SET n = -1, predicted_dtype = '|u1', predicted = ?", (bomb,))
    )
    unpacked = []

    class Watched:
        eof = True

        def decompress(self, data, most):
            unpacked.append(most)
            return b""

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    with (
        open_store(path, read_only=True) as store,
        pytest.raises(StoreError, match="cannot be -1 images"),
    ):
        store.predictions(template[2][0])
    assert unpacked == []


def texts(path: Path) -> list[tuple[str, str]]:
    """Every column of text, without those by which rows find each other."""
    keys = ("_at", "dtype", "sha256", "identity", "specification", "encoding", "uuid")
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        return [
            (table, column[1])
            for (table,) in tables
            if table != "alembic_version"
            for column in connection.execute(f"PRAGMA table_info({table})").fetchall()
            if ("CHAR" in column[2] or "TEXT" in column[2]) and not column[1].endswith(keys)
        ]


def test_no_column_of_any_table_controls_the_terminal(hostile, template, capsys):
    _, training, (first, second) = template
    columns = texts(template[0])
    assert len(columns) > 40
    tables = dict.fromkeys(table for table, _ in columns)
    for table in tables:
        mine = [column for of, column in columns if of == table]
        path = hostile(
            *((f"UPDATE {table} SET {column} = {column} || ?", (ESCAPES,)) for column in mine)
        )
        for arguments in (
            ["leaderboard"],
            ["leaderboard", "--format", "json"],
            ["show", training],
            ["show", first, "--format", "json"],
            ["compare", first, second],
            ["query", f"SELECT * FROM {table}"],
            ["query", f"SELECT * FROM {table}", "--format", "markdown"],
        ):
            call([*arguments, "--db", str(path)])
            captured = capsys.readouterr()
            shown = (captured.out + captured.err).replace("\n", "")
            assert shown.isprintable(), (table, arguments)


@pytest.mark.parametrize("output_format", ["table", "markdown", "json"])
def test_neither_do_the_names_of_columns(hostile, capsys, output_format):
    path = hostile("DROP VIEW results", f'CREATE VIEW results AS SELECT 1 AS "a{ESCAPES}"')
    sql = "SELECT * FROM results"
    assert call(["query", sql, "--db", str(path), "--format", output_format]) == 0
    assert capsys.readouterr().out.replace("\n", "").isprintable()


def test_csv_is_exact_for_programs_and_harmless_on_a_terminal(capsys, monkeypatch):
    print_rows(["a"], [[ESCAPES]], "csv")
    assert ESCAPES in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_rows([ESCAPES], [[ESCAPES]], "csv")
    assert capsys.readouterr().out.replace("\n", "").isprintable()


def test_json_stays_exact():
    value = {"a": ESCAPES + "é😀\U000e0001"}
    text = json_text(value)
    assert text.isprintable()
    assert "é😀" in text
    assert json.loads(text) == value


ENDLESS = "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x) SELECT count(*) AS"


@pytest.mark.parametrize(
    ("replaced", "columns", "command"),
    [
        ("VIEW results", "n", ["query", "SELECT * FROM results"]),
        # A view may also stand where a table was, with whatever columns are asked for.
        (
            "TABLE metrics",
            "metric_id, 'top1' AS name, '1' AS version, 1 AS higher_is_better",
            ["leaderboard"],
        ),
    ],
)
def test_a_view_that_never_ends_can_be_interrupted(hostile, replaced, columns, command):
    # Datasette turns them on for the whole process, in which other tests may have used it; what
    # ends a callback, as an interrupt does, is then said to be ignored.
    sqlite3.enable_callback_tracebacks(False)
    name = replaced.split()[1]
    path = hostile(f"DROP {replaced}", f"CREATE VIEW {name} AS {ENDLESS} {columns} FROM x")
    timer = threading.Timer(1.5, _thread.interrupt_main)
    timer.start()
    try:
        assert call([*command, "--db", str(path)]) == EXIT_INTERRUPTED
    finally:
        timer.cancel()


@pytest.mark.parametrize("read_only", [True, False])
def test_the_schema_of_the_file_is_not_trusted(template, read_only):
    with open_store(template[0], read_only=read_only) as store, store._reading() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0

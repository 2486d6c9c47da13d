"""Databases of older and newer revisions."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Boolean, Integer, MetaData, insert, text

from hfcbench.errors import StoreError
from hfcbench.results.database import migrating, revisions
from hfcbench.results.database.engine import make_engine, writing
from hfcbench.results.database.location import parse_location
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.opening import open_store
from hfcbench.results.store import Store

AddRevision = Callable[..., None]
Expected = dict[str, Any]

GOLDEN = Path(__file__).parent / "golden"

NEXT = f"{int(REVISIONS[-1]) + 1:04}"
NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None
def upgrade():
    op.create_table("remarks", sa.Column("remark", sa.Text()))
    {statement}
"""


def golden_copy(revision: str, path: Path) -> Expected:
    """Copy a golden database; returns what must be found in it."""
    shutil.copyfile(GOLDEN / f"revision_{revision}.db", path)
    expected: Expected = json.loads(
        (GOLDEN / f"revision_{revision}.json").read_text(encoding="utf-8")
    )
    return expected


def revision_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def tables_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


@pytest.fixture
def add_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddRevision:
    """Let hfcbench know one more revision, which runs a statement."""

    def add(statement: str = "pass") -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(migrating.MIGRATIONS, folder)
        script = folder / "versions" / f"rev_{NEXT}.py"
        content = NEXT_REVISION.format(revision=NEXT, before=REVISIONS[-1], statement=statement)
        script.write_text(content, encoding="utf-8")
        monkeypatch.setattr(migrating, "MIGRATIONS", folder)
        monkeypatch.setattr(revisions, "REVISIONS", (*REVISIONS, NEXT))

    return add


def test_every_revision_has_a_golden_database() -> None:
    for suffix in ("db", "json"):
        names = {path.name for path in GOLDEN.glob(f"*.{suffix}")}
        assert names == {f"revision_{revision}.{suffix}" for revision in REVISIONS}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_golden_database_is_upgraded_and_used(
    revision: str, path: Path, build: ModuleType
) -> None:
    expected = golden_copy(revision, path)
    with open_store(path) as store:
        assert_holds(store, expected, build)
        training = build.training(seed=7)
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)
        store.add_evaluations([build.evaluation(training, value=1.0)], run_id)
        board = store.leaderboard(decomposition="fft-radial").frame
        assert board["original"].tolist() == [1.0, 0.75, 0.75, 0.5, 0.5]
        assert len(store.evaluations()) == scores_in(expected) + 1
    assert revision_in(path) == REVISIONS[-1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_same_content_is_upgraded_and_used_on_postgresql(
    revision: str, path: Path, postgresql_url: str, build: ModuleType
) -> None:
    expected = golden_copy(revision, path)
    copy_into_server(path, postgresql_url, revision)
    with open_store(postgresql_url) as store:
        assert_holds(store, expected, build)
    for older in REVISIONS[-2::-1]:
        migrating.downgrade(parse_location(postgresql_url), older)
    expected = since(REVISIONS[0], expected)
    with open_store(postgresql_url) as store:
        assert_holds(store, expected, build)
        training = build.training(seed=7)
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)
        store.add_evaluations([build.evaluation(training, value=1.0)], run_id)
        assert store.leaderboard(limit=1).frame["original"].tolist() == [1.0]
        assert len(store.evaluations()) == scores_in(expected) + 1


def copy_into_server(path: Path, url: str, revision: str) -> None:
    """Make the schema of a revision on a server, and put the rows of an SQLite file into it."""
    engine = make_engine(parse_location(url), read_only=False, busy_timeout_seconds=10)
    with writing(engine).begin() as target, closing(sqlite3.connect(path)) as source:
        command.upgrade(migrating.alembic_config(target), revision)
        tables = MetaData()
        tables.reflect(target)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = source.execute(f"SELECT {', '.join(table.columns.keys())} FROM {table.name}")
            booleans = [isinstance(column.type, Boolean) for column in table.columns]
            values = [
                [bool(v) if b and v is not None else v for v, b in zip(row, booleans, strict=True)]
                for row in rows
            ]
            if values:
                names = table.columns.keys()
                target.execute(
                    insert(table), [dict(zip(names, row, strict=True)) for row in values]
                )
            key = table.primary_key.columns[0]
            if len(table.primary_key.columns) == 1 and isinstance(key.type, Integer):
                target.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), "
                        f"(SELECT greatest(max({key.name}), 1) FROM {table.name}))"
                    )
                )
    engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_down_and_up_again_keeps_every_result(revision: str, path: Path, build: ModuleType) -> None:
    expected = golden_copy(REVISIONS[-1], path)
    location = parse_location(path)
    backup = migrating.downgrade(location, revision)
    assert backup is not None
    assert revision_in(backup) == REVISIONS[-1]
    assert revision_in(path) == revision
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert schema_of(path) == schema_of(GOLDEN / f"revision_{revision}.db")
    with open_store(path) as store:
        assert_holds(store, since(revision, expected), build)
    assert schema_of(path) == schema_of(GOLDEN / f"revision_{REVISIONS[-1]}.db")


@pytest.mark.parametrize("server", [False, True])
def test_old_attacks_were_full_and_new_ones_do_not_fit_into_the_old_schema(
    server: bool, path: Path, request: pytest.FixtureRequest
) -> None:
    """How images were searched for is told of old rows, and forgotten only with the rows."""
    golden_copy("0003", path)
    place: Any = path
    if server:
        place = request.getfixturevalue("postgresql_url")
        copy_into_server(path, place, "0003")
    condition = "attack, attack_norm, criterion, attack_mode, attack_precision, smaller_epsilons"
    asked = f"SELECT DISTINCT {condition} FROM conditions ORDER BY attack"
    with open_store(place) as store:
        assert store.query(asked)[1] == [
            ("none", None, None, None, None, None),
            ("pgd(steps=5)", "linf", "full", "adaptive", "float32", None),
        ]
        assert store.query("SELECT count(*) FROM reliability_checks")[1] == [(0,)]
        columns, rows = store.query("SELECT * FROM results WHERE attack <> 'none'")
        flags = [row[columns.index("flags")] for row in rows]
        assert flags == [0] * 4

    newest = GOLDEN / f"revision_{REVISIONS[-1]}.db"
    other = path.with_name("other.db")
    shutil.copyfile(newest, other)
    with closing(sqlite3.connect(other)) as connection:
        before = connection.execute("SELECT count(*) FROM label_sets").fetchone()
        checks = connection.execute(
            "SELECT name, value, threshold, flagged, n FROM reliability_checks ORDER BY 1 LIMIT 3"
        ).fetchall()
    # Stored as they were measured; no limit is NULL.
    assert checks[0] == ("full-range", 0.0, 0.25, 0, 40)
    migrating.downgrade(parse_location(other), "0003")
    with closing(sqlite3.connect(other)) as connection:
        attacks = connection.execute("SELECT DISTINCT attack FROM conditions ORDER BY 1").fetchall()
        assert attacks == [("none",), ("pgd(steps=5)",)]
        for table in ("evaluations", "scores", "predictions"):
            lost = f"SELECT count(*) FROM {table} WHERE evaluation_id NOT IN (SELECT evaluation_id "
            lost += "FROM evaluations)"
            assert connection.execute(lost).fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM label_sets").fetchone() == before


def test_only_older_revisions_can_be_gone_back_to(path: Path) -> None:
    golden_copy("0001", path)
    for revision in ("0002", "0099"):
        with pytest.raises(StoreError, match=f"cannot go from 0001 to {revision}"):
            migrating.downgrade(parse_location(path), revision)
    assert revision_in(path) == "0001"


def schema_of(path: Path) -> dict[str, list[str]]:
    """Every statement of a schema, without order, quotes and white space."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            name: sorted(re.sub(r'["\s]', "", line).strip(",") for line in sql.splitlines())
            for name, sql in rows
        }


def since(revision: str, expected: Expected) -> Expected:
    """What a database still holds that was of an older revision once."""
    kept = {
        identity: known
        for identity, known in expected["evaluations"].items()
        if known.get("since", REVISIONS[0]) <= revision
    }
    newer = {
        identity for identity, of in expected.get("newer_trainings", {}).items() if of > revision
    }
    trainings = {
        identity: path for identity, path in expected["trainings"].items() if identity not in newer
    }
    notes = expected.get("notes", 0) if revision >= "0006" else 0
    return {**expected, "evaluations": kept, "trainings": trainings, "notes": notes}


def scores_in(expected: Expected) -> int:
    return sum(len(known["scores"]) for known in expected["evaluations"].values())


def assert_holds(store: Store, expected: Expected, build: ModuleType) -> None:
    trainings = store.trainings(list(expected["trainings"]))
    found = {identity: item.checkpoint.path for identity, item in trainings.items()}
    assert found == expected["trainings"]
    assert len(store.curves()) == expected["curve_points"]
    frame = store.evaluations()
    assert set(frame["evaluation"]) == set(expected["evaluations"])
    for identity, known in expected["evaluations"].items():
        rows = frame[frame["evaluation"] == identity]
        scores = {row.metric: repr(float(row.value)) for row in rows.itertuples()}
        assert scores == known["scores"]
        assert set(rows["component"]) == {known["component"]}
        assert set(rows["defence"]) == {known["defence"]}
        is_detector = "map" in known["scores"]
        found = store.detections(identity) if is_detector else store.predictions(identity)
        content = build.content_of(found)
        assert hashlib.sha256(content).hexdigest() == known["predictions_sha256"]
    assert store.query("SELECT count(*) FROM failures")[1] == [(expected["failures"],)]
    assert store.query("SELECT count(*) FROM notes")[1] == [(expected.get("notes", 0),)]


def test_a_newer_database_is_left_alone(path: Path) -> None:
    golden_copy("0001", path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.commit()
    before = path.read_bytes()
    for arguments in ({}, {"read_only": True}, {"create": True}):
        with pytest.raises(
            StoreError, match=rf"revision 0099.*newer.*up to {REVISIONS[-1]}"
        ) as caught:
            open_store(path, **arguments)
        assert "pip install --upgrade hfcbench" in str(caught.value)
    assert path.read_bytes() == before


def test_an_older_database_is_copied_and_upgraded(
    path: Path, add_revision: AddRevision, build: ModuleType
) -> None:
    expected = golden_copy(REVISIONS[-1], path)
    before = path.read_bytes()
    add_revision()
    with pytest.raises(StoreError, match=rf"revision {REVISIONS[-1]}.*reads {NEXT}") as caught:
        open_store(path, read_only=True)
    assert "open it for writing once" in str(caught.value)
    assert path.read_bytes() == before
    with open_store(path) as store:
        assert_holds(store, expected, build)
        store.begin_run(build.run())
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert revision_in(path) == NEXT
    assert "remarks" in tables_in(path)
    backup = path.with_name(f"results.db.revision-{REVISIONS[-1]}.backup")
    assert revision_in(backup) == REVISIONS[-1]
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM evaluations").fetchone() == (25,)
    with open_store(path, read_only=True) as store:
        assert_holds(store, expected, build)


def test_a_backup_never_replaces_another(path: Path) -> None:
    golden_copy("0001", path)
    names = [migrating.back_up(path, "0001").name for _ in range(3)]
    first = "results.db.revision-0001.backup"
    assert names == [first, f"{first}.2", f"{first}.3"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("op.execute('INSERT INTO nowhere VALUES (1)')", "no such table: nowhere"),
        ("op.execute('UPDATE evaluations SET training_id = 77')", "25 rows that point nowhere"),
    ],
)
def test_an_upgrade_that_fails_changes_nothing(
    path: Path, add_revision: AddRevision, statement: str, message: str
) -> None:
    golden_copy(REVISIONS[-1], path)
    add_revision(statement)
    with pytest.raises(StoreError, match=message):
        open_store(path)
    assert revision_in(path) == REVISIONS[-1]
    assert "remarks" not in tables_in(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_without_a_backup_there_is_no_upgrade(path: Path, add_revision: AddRevision) -> None:
    golden_copy(REVISIONS[-1], path)
    add_revision()
    path.with_name(f"results.db.revision-{REVISIONS[-1]}.backup.part").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(path)
    assert revision_in(path) == REVISIONS[-1]

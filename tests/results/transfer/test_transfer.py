"""Copies, merges and exports hold what the original holds."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hfcbench.cli.main import call
from hfcbench.reliability_checks import Check
from hfcbench.results.database.location import parse_location
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.opening import open_store
from hfcbench.results.transfer.merge import merge

GOLDEN = Path(__file__).parents[1] / "golden"


def content(path: Path, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of an SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in names
            if name not in without
        }


def identities(path: Path) -> dict[str, set[str]]:
    return {
        table: {row[0] for row in rows}
        for table, rows in (
            (name, ask(path, f"SELECT identity FROM {name}"))
            for name in ("trainings", "evaluations")
        )
    }


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def run(capsys: Any, *arguments: Any, code: int = 0) -> str:
    capsys.readouterr()
    assert call(["db", *map(str, arguments)]) == code, capsys.readouterr()
    captured = capsys.readouterr()
    return str(captured.out + captured.err)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_an_export_is_read_back_whole(tmp_path, filled, capsys, file_format):
    first, second, folder = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "files"
    filled(first)
    text = run(capsys, "export", folder, "--db", first, "--format", file_format)
    assert "tables" in text
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["tables"]) == len(list(folder.glob(f"*.{file_format}")))
    for name, entry in manifest["tables"].items():
        assert ask(first, f"SELECT count(*) FROM {name}") == [(entry["rows"],)]
        digest = hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
        assert digest == entry["sha256"]
    run(capsys, "import", folder, "--db", second)
    assert content(second) == content(first)
    # And a new result can be added to it.
    filled(second, seeds=(5,))
    assert "not empty" in run(capsys, "import", folder, "--db", second, code=1)
    assert "not empty" in run(capsys, "export", folder, "--db", first, code=1)


def test_csv_is_what_others_read(tmp_path, filled, capsys):
    path, folder = tmp_path / "a.db", tmp_path / "files"
    filled(path)
    run(capsys, "export", folder, "--db", path, "--format", "csv")
    with (folder / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    stored = ask(path, "SELECT value FROM scores ORDER BY evaluation_id, metric_id")
    assert [None if row["value"] == "\\N" else float(row["value"]) for row in rows] == [
        value for (value,) in stored
    ]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_an_export_that_was_changed_is_refused(tmp_path, filled, capsys, file_format):
    path, folder = tmp_path / "a.db", tmp_path / "files"
    filled(path)
    run(capsys, "export", folder, "--db", path, "--format", file_format)
    file = folder / f"scores.{file_format}"
    file.write_bytes(file.read_bytes().replace(b"f", b"g", 1) + b" ")
    target = tmp_path / "b.db"
    assert "was changed since" in run(capsys, "import", folder, "--db", target, code=1)
    assert not target.exists()


@pytest.mark.parametrize("name", ["../a.db", "/etc/passwd", "runs.parquet"])
def test_a_manifest_that_names_other_files_is_refused(tmp_path, filled, capsys, name):
    path, folder = tmp_path / "a.db", tmp_path / "files"
    filled(path)
    run(capsys, "export", folder, "--db", path, "--format", "csv")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["runs"]["file"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "expected 'runs.csv'" in run(capsys, "import", folder, "--db", tmp_path / "b.db", code=1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_revision": "0001", "format": "csv"}'])
def test_what_is_no_export(tmp_path, capsys, text):
    (tmp_path / "manifest.json").write_text(text)
    message = run(capsys, "import", tmp_path, "--db", tmp_path / "b.db", code=1)
    assert "manifest" in message


def test_merging_two_machines(tmp_path, filled, capsys):
    one, two, both = (tmp_path / name for name in ("one.db", "two.db", "both.db"))
    filled(one, seeds=(0, 1))
    filled(two, seeds=(1, 2))
    text = run(capsys, "merge", one, two, "--db", both)
    assert "2 trainings" in text
    assert "known already: 1 trainings, 4 evaluations" in text
    assert "disagrees" not in text
    expected = {key: identities(one)[key] | identities(two)[key] for key in identities(one)}
    assert identities(both) == expected
    assert len(ask(both, "SELECT * FROM runs")) == 2
    assert len(ask(both, "SELECT * FROM datasets")) == 1
    assert len(ask(both, "SELECT * FROM failures")) == 2
    assert len(ask(both, "SELECT * FROM notes JOIN runs USING (run_id)")) == 2
    # Heuristics, curves, predictions and scores came along.
    for table in ("training_heuristics", "curves", "epochs", "predictions", "scores"):
        (count,) = ask(both, f"SELECT count(*) FROM {table}")[0]
        (each,) = ask(one, f"SELECT count(*) FROM {table}")[0]
        assert count == each / 2 * 3
    before = content(both)
    run(capsys, "merge", two, one, "--db", both)
    assert content(both) == before
    other = tmp_path / "other.db"
    run(capsys, "merge", two, one, "--db", other)
    assert identities(other) == expected
    assert run(capsys, "check", "--db", both).endswith("no problems\n")


def test_results_that_differ_are_kept_and_said(tmp_path, filled, capsys):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    filled(one, seeds=(0,))
    filled(two, seeds=(0,), answers=3)
    mine = ask(one, "SELECT * FROM scores")
    text = run(capsys, "merge", two, "--db", one)
    assert text.count("disagrees: evaluation") == 1
    assert "100 predictions differ" in text
    assert ask(one, "SELECT * FROM scores") == mine
    ((identity, kind, summary, document),) = ask(
        one, "SELECT identity, kind, summary, content FROM disagreements"
    )
    assert kind == "evaluation"
    other = json.loads(document)
    (value,) = ask(two, f"SELECT value FROM results WHERE evaluation = '{identity}'")[0]
    assert other["scores"][0]["value"] == value
    assert other["predictions"][0]["n"] == 100
    with open_store(one, read_only=True) as store:
        assert store.provenance(identity).disagreements[0]["summary"] == summary
    run(capsys, "merge", two, "--db", one)
    assert ask(one, "SELECT count(*) FROM disagreements") == [(1,)]


def test_evaluations_of_another_checkpoint_are_not_mixed_in(tmp_path, filled, capsys):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    filled(one, seeds=(0,))
    filled(two, seeds=(0,), answers=3, sha256="cd")
    with closing(sqlite3.connect(one)) as connection:
        for table in ("scores", "predictions", "evaluations"):
            connection.execute(
                f"DELETE FROM {table} WHERE evaluation_id IN "
                "(SELECT evaluation_id FROM evaluations WHERE evaluation_id > 2)"
                if table != "evaluations"
                else "DELETE FROM evaluations WHERE evaluation_id > 2"
            )
        connection.commit()
    text = run(capsys, "merge", two, "--db", one)
    assert "its checkpoint is cd, the target's is ab" in text
    assert text.count("computed from a checkpoint that the target does not have") == 4
    assert ask(one, "SELECT count(*) FROM evaluations") == [(2,)]
    kinds = ask(one, "SELECT kind, count(*) FROM disagreements GROUP BY kind ORDER BY kind")
    assert kinds == [("evaluation", 4), ("training", 1)]


def test_an_older_source_is_upgraded_in_a_copy(tmp_path, capsys):
    source = tmp_path / "old.db"
    source.write_bytes((GOLDEN / "revision_0001.db").read_bytes())
    before = source.read_bytes()
    run(capsys, "merge", source, "--db", tmp_path / "new.db")
    assert source.read_bytes() == before
    assert len(identities(tmp_path / "new.db")["evaluations"]) == 20


def test_from_and_to_a_server(tmp_path, filled, capsys, postgresql_url):
    one, back = tmp_path / "one.db", tmp_path / "back.db"
    filled(one)
    merge(parse_location(postgresql_url), parse_location(one))
    run(capsys, "merge", postgresql_url, "--db", back)
    assert identities(back) == identities(one)
    unnumbered = "SELECT evaluation, metric, value, state, low, high, n, run FROM results"
    assert sorted(ask(back, unnumbered), key=repr) == sorted(ask(one, unnumbered), key=repr)
    assert run(capsys, "check", "--db", postgresql_url).endswith("no problems\n")
    folder = tmp_path / "files"
    run(capsys, "export", folder, "--db", postgresql_url)
    again = tmp_path / "again.db"
    run(capsys, "import", folder, "--db", again)
    assert identities(again) == identities(one)
    assert "on a server" in run(capsys, "backup", tmp_path / "x", "--db", postgresql_url, code=1)
    assert "trainings: 2" in run(capsys, "status", "--db", postgresql_url)


def test_a_merge_that_fails_changes_nothing(tmp_path, filled, capsys):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    filled(one, seeds=(0,))
    filled(two, seeds=(1,))
    with closing(sqlite3.connect(two)) as connection:
        connection.execute("UPDATE evaluations SET specification = 'no JSON'")
        connection.commit()
    before = content(one)
    assert "stored JSON is damaged" in run(capsys, "merge", two, "--db", one, code=1)
    assert content(one) == before
    assert "into itself" in run(capsys, "merge", one, "--db", one, code=1)


def test_backup_and_status_and_upgrade(tmp_path, filled, capsys):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    filled(path)
    run(capsys, "backup", copy, "--db", path)
    assert content(copy) == content(path)
    assert "already" in run(capsys, "backup", copy, "--db", path, code=1)
    text = run(capsys, "status", "--db", path)
    assert f"schema revision {REVISIONS[-1]} (current)" in text
    assert "evaluations: 8" in text
    assert "already" in run(capsys, "upgrade", "--db", path)
    old = tmp_path / "old.db"
    old.write_bytes((GOLDEN / "revision_0001.db").read_bytes())
    assert f"schema revision 0001 (this hfcbench: {REVISIONS[-1]})" in run(
        capsys, "status", "--db", old
    )
    text = run(capsys, "upgrade", "--db", old)
    assert f"0001 -> {REVISIONS[-1]}" in text
    assert "old.db.revision-0001.backup" in text
    assert "current" in run(capsys, "status", "--db", old)
    assert "no results database" in run(capsys, "status", "--db", tmp_path / "none.db", code=1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE trainings SET specification = '{}' WHERE training_id = 1", "identity is not"),
        ("UPDATE trainings SET configuration = 'x' WHERE training_id = 1", "configuration is not"),
        (
            "UPDATE evaluations SET specification = '{}' WHERE evaluation_id = 3",
            "its identity is not the hash of its specification",
        ),
        ("UPDATE scores SET value = 0.9 WHERE evaluation_id = 2", "its top1 is 0.9"),
        ("UPDATE predictions SET predicted = x'00' WHERE evaluation_id = 2", "damaged"),
        ("DELETE FROM predictions WHERE evaluation_id = 2", "predictions are missing"),
        ("UPDATE scores SET condition_id = 1 WHERE evaluation_id = 2", "another training or cond"),
        ("UPDATE conditions SET epsilon = 0.5 WHERE attack = 'pgd'", "digest is not"),
        (
            "UPDATE conditions SET criterion = 'full' WHERE attack = 'pgd'",
            "digest is not that of its columns",
        ),
        ("UPDATE reliability_checks SET flagged = 0 WHERE name = 'more-steps'", "is not flagged"),
        ("UPDATE reliability_checks SET flagged = 1 WHERE name = 'full-range'", "is flagged, and"),
        # Above no limit there is nothing.
        ("UPDATE reliability_checks SET flagged = 1 WHERE threshold IS NULL", "it is flagged, and"),
        ("UPDATE reliability_checks SET value = 0 WHERE name = 'more-steps'", "say otherwise"),
        ("UPDATE reliability_checks SET threshold = NULL", "check more-steps of evaluation"),
        (
            "UPDATE reliability_checks SET evaluation_id = 1 WHERE evaluation_id = 4",
            "its evaluation is not under attack",
        ),
        ("UPDATE reliability_checks SET evaluation_id = 99 WHERE evaluation_id = 4", "not there"),
        ("UPDATE evaluations SET training_id = 77 WHERE evaluation_id = 1", "not there"),
        ("DELETE FROM artifacts WHERE training_id = 1", "it has no checkpoint"),
        ("UPDATE artifacts SET path = '../x' WHERE training_id = 1", "does not stay in"),
        ("UPDATE datasets SET fingerprint = 'x'", "names another dataset"),
    ],
)
def test_damage_is_found_and_named(tmp_path, filled, capsys, damage, message):
    path = tmp_path / "a.db"
    filled(path)
    assert run(capsys, "check", "--db", path).endswith("no problems\n")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    text = run(capsys, "check", "--db", path, code=1)
    assert message in text


def test_checkpoints_are_hashed(tmp_path, filled, capsys, build):
    path, artifacts = tmp_path / "a.db", tmp_path / "checkpoints"
    content_of = b"weights"
    digest = hashlib.sha256(content_of).hexdigest()
    filled(path, seeds=(0,), sha256=digest)
    ((relative,),) = ask(path, "SELECT path FROM artifacts")
    file = artifacts / relative
    text = run(capsys, "check", "--db", path, "--artifacts", artifacts, code=1)
    assert "cannot be read" in text
    file.parent.mkdir(parents=True)
    file.write_bytes(content_of)
    assert "no problems" in run(capsys, "check", "--db", path, "--artifacts", artifacts)
    file.write_bytes(b"weightz")
    assert "not the file" in run(capsys, "check", "--db", path, "--artifacts", artifacts, code=1)


def checks_in(path: Path) -> list[tuple[Any, ...]]:
    """Every check with the identity of its evaluation, instead of a key."""
    return ask(
        path,
        "SELECT identity, name, value, threshold, flagged, k.n FROM reliability_checks k "
        "JOIN evaluations USING (evaluation_id) ORDER BY identity, name",
    )


def test_checks_come_along_wherever_results_go(tmp_path, filled, capsys, postgresql_url):
    one, two, both, back = (tmp_path / f"{name}.db" for name in ("one", "two", "both", "back"))
    filled(one, seeds=(0,))
    filled(two, seeds=(0, 1))
    (identity,) = ask(one, "SELECT DISTINCT evaluation FROM results WHERE attack = 'pgd'")[0]
    assert [row for row in checks_in(two) if row[0] == identity] == [
        (identity, "full-range", 0.0, 0.25, 0, 30),
        (identity, "more-steps", 1 / 30, 0.02, 1, 30),
        (identity, "verdicts-changed", 0.0, None, 0, 30),
    ]
    run(capsys, "merge", one, two, "--db", both)
    assert checks_in(both) == checks_in(two)
    run(capsys, "merge", both, "--db", postgresql_url)
    run(capsys, "merge", postgresql_url, "--db", back)
    assert checks_in(back) == checks_in(two)
    assert run(capsys, "check", "--db", postgresql_url).endswith("no problems\n")
    with open_store(postgresql_url) as store:
        assert set(store.leaderboard().frame["flags"]) == {f"pgd@{8 / 255!r}: more-steps"}
    (searched,) = ask(
        back,
        "SELECT criterion, attack_mode, attack_precision, smaller_epsilons, attack_norm, flags "
        "FROM results WHERE attack = 'pgd' LIMIT 1",
    )
    assert searched == ("worst-case", "adaptive", "float32", "0.01,0.03", "linf", 1)


def test_a_flag_that_only_one_side_has_is_a_disagreement(tmp_path, filled, capsys):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    checks = [Check("full-range", 0.0, 0.25, 30), Check("more-steps", 1 / 30, 0.02, 30)]
    filled(one, seeds=(0,), checks=[checks[0], Check("more-steps", 0.0, 0.02, 30)])
    filled(two, seeds=(0,), checks=checks)
    mine = checks_in(one)
    text = run(capsys, "merge", two, "--db", one)
    assert "check more-steps is flagged in the source alone" in text
    assert checks_in(one) == mine
    ((document,),) = ask(one, "SELECT content FROM disagreements")
    assert [
        (check["name"], check["value"], check["threshold"], check["flagged"], check["n"])
        for check in json.loads(document)["checks"]
    ] == [("full-range", 0.0, 0.25, False, 30), ("more-steps", 1 / 30, 0.02, True, 30)]
    # The other way round the source is the sound one.
    text = run(capsys, "merge", one, "--db", two)
    assert "check more-steps is flagged in the target alone" in text


def test_checks_that_the_target_lacks_are_added(tmp_path, filled, capsys):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    filled(one, seeds=(0,), checks=[])
    filled(two, seeds=(0,))
    assert "disagrees" not in run(capsys, "merge", two, "--db", one)
    assert checks_in(one) == checks_in(two)
    run(capsys, "merge", two, "--db", one)
    assert checks_in(one) == checks_in(two)

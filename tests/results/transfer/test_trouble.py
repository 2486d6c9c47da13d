"""Damage, hostile files and unlucky moments: one claim each."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hfcbench.cli import main
from hfcbench.errors import StoreError
from hfcbench.results.database.location import parse_location
from hfcbench.results.opening import open_store
from hfcbench.results.transfer import merging
from hfcbench.results.transfer.merge import merge


def ask(path, sql, *values):
    with closing(sqlite3.connect(path)) as c:
        rows = c.execute(sql, values).fetchall()
        c.commit()
        return rows


def join(target, source):
    return merge(parse_location(str(target)), parse_location(str(source)))


@pytest.fixture
def two(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a)
    filled(b)
    return a, b


def test_csv_keeps_carriage_returns(tmp_path, filled, build):
    a = tmp_path / "a.db"
    filled(a)
    with open_store(a) as s:
        s.add_failure(build.failure(error="10%\r20%\rboom", identity="e" * 64), 1)
    assert main.call(["db", "export", str(tmp_path / "o"), "--format", "csv", "--db", str(a)]) == 0
    assert main.call(["db", "import", str(tmp_path / "o"), "--db", str(tmp_path / "c.db")]) == 0
    q = "SELECT error FROM failures ORDER BY 1"
    assert ask(a, q) == ask(tmp_path / "c.db", q)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE scores SET n = n + 1",
        "UPDATE label_sets SET sha256 = 'x' || sha256",
        "UPDATE evaluations SET specification = replace(specification, ':', ': ')",
        "UPDATE evaluations SET specification = 'no json'",
        "UPDATE trainings SET specification = '[]'",
        "UPDATE scores SET value = NULL, state = 'nan' WHERE metric_id = 1",
        "UPDATE predictions SET n = 0",
    ],
)
def test_check_finds(damage, tmp_path, filled, capsys):
    a = tmp_path / "a.db"
    filled(a)
    ask(a, damage)
    assert main.call(["db", "check", "--db", str(a)]) == 1
    out = capsys.readouterr()
    assert "error:" not in out.err, out.err
    assert "no problems" not in out.out


def test_check_goes_on_after_damaged_pages(tmp_path, filled, capsys):
    a = tmp_path / "a.db"
    filled(a)
    with closing(sqlite3.connect(a)) as connection:
        pages = connection.execute(
            "SELECT rootpage FROM sqlite_master "
            "WHERE name IN ('scores', 'trainings', 'predictions')"
        ).fetchall()
    content = bytearray(a.read_bytes())
    for (page,) in pages:
        content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    a.write_bytes(content)
    assert main.call(["db", "check", "--db", str(a)]) == 1
    assert "error:" not in capsys.readouterr().err


def test_merge_refuses_a_hostile_path(two):
    _, b = two
    ask(b, "UPDATE artifacts SET path = '../../x'")
    c = b.with_name("new.db")
    with pytest.raises(StoreError, match="artifacts folder"):
        join(c, b)


def test_merge_refuses_a_false_identity(two):
    a, b = two
    ask(b, "UPDATE evaluations SET identity = 'ab' || substr(identity, 3), specification = '{}'")
    with pytest.raises(StoreError, match="damaged"):
        join(a, b)


def test_merge_finishes_runs(tmp_path, filled, build):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a)
    filled(b)
    with open_store(b) as s:
        r = s.begin_run(build.run(host="late"))
        join(a, b)
        s.finish_run(r, "finished")
    join(a, b)
    assert ask(a, "SELECT status FROM runs WHERE host='late'") == [("finished",)]


def test_a_second_merge_changes_nothing(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a)
    filled(b, answers=1, sha256="cd")
    join(a, b)
    n = ask(a, "SELECT count(*) FROM disagreements")
    join(a, b)
    assert ask(a, "SELECT count(*) FROM disagreements") == n


def test_what_comes_home_is_no_disagreement(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a)
    filled(b, answers=1)
    join(a, b)  # a now holds b's two differing results as disagreements
    report = join(b, a)
    rows = ask(b, "SELECT content FROM disagreements")
    assert len(rows) == 2 == len(report.disagreements), (len(rows), report.disagreements)


def test_all_evaluations_of_another_checkpoint_are_kept(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a, seeds=(0,))
    filled(b, seeds=(0,), sha256="cd")
    join(a, b)
    assert ask(a, "SELECT kind, count(*) FROM disagreements GROUP BY 1 ORDER BY 1") == [
        ("evaluation", 4),
        ("training", 1),
    ]


def test_scores_of_another_checkpoint_are_not_added(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a, seeds=(0,))
    filled(b, seeds=(0,), sha256="cd")
    ask(a, "DELETE FROM scores WHERE evaluation_id = 2")
    join(a, b)
    assert ask(a, "SELECT count(*) FROM scores WHERE evaluation_id = 2") == [(0,)]


def test_intervals_of_another_scipy_are_no_disagreement(two):
    a, b = two
    ask(b, "UPDATE scores SET low = low + 1e-16 + 1e-15")
    assert not join(a, b).disagreements


def test_disagreements_hold_labels(tmp_path, filled):
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    filled(a)
    filled(b, answers=1)
    join(a, b)
    content = json.loads(ask(a, "SELECT content FROM disagreements")[0][0])
    assert '"labels"' in json.dumps(content)
    assert "run" in content


def test_a_failed_import_leaves_nothing(tmp_path, filled):
    a = tmp_path / "a.db"
    filled(a)
    main.call(["db", "export", str(tmp_path / "o"), "--format", "csv", "--db", str(a)])
    (tmp_path / "o" / "scores.csv").write_text("x")
    assert main.call(["db", "import", str(tmp_path / "o"), "--db", str(tmp_path / "c.db")]) == 1
    assert not (tmp_path / "c.db").exists()


def test_long_fields_are_not_a_setting_of_the_process(tmp_path, filled):
    a = tmp_path / "a.db"
    filled(a)
    before = csv.field_size_limit()
    main.call(["db", "export", str(tmp_path / "o"), "--format", "csv", "--db", str(a)])
    main.call(["db", "import", str(tmp_path / "o"), "--db", str(tmp_path / "c.db")])
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("datasets", b",3,32,32", b",999999999999999999999999999999,32,32"),
        ("scores", b"\n1,", b"\n1,1,"),
        ("scores", b"finite", b"odd"),
    ],
)
def test_rows_that_do_not_fit(name, old, new, tmp_path, filled, capsys):
    a, o = tmp_path / "a.db", tmp_path / "o"
    filled(a)
    main.call(["db", "export", str(o), "--format", "csv", "--db", str(a)])
    content = (o / f"{name}.csv").read_bytes().replace(old, new)
    (o / f"{name}.csv").write_bytes(content)
    manifest = json.loads((o / "manifest.json").read_text())
    manifest["tables"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    (o / "manifest.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    c = tmp_path / "c.db"
    assert main.call(["db", "import", str(o), "--db", str(c)]) == 1
    assert "TypeError" not in capsys.readouterr().err
    assert ask(c, "SELECT count(*) FROM runs") == [(0,)]


def test_an_older_database_is_exported_from_a_copy(tmp_path):
    golden = Path(__file__).parents[1] / "golden" / "revision_0001.db"
    old = tmp_path / "old.db"
    shutil.copyfile(golden, old)
    before = old.read_bytes()
    assert (
        main.call(["db", "export", str(tmp_path / "o"), "--format", "csv", "--db", str(old)]) == 0
    )
    assert old.read_bytes() == before


def test_a_link_to_itself(two):
    a, _ = two
    link = a.with_name("link.db")
    link.symlink_to(a)
    with pytest.raises(StoreError, match="itself"):
        join(a, link)


def test_a_server_source_that_is_written_to(postgresql_url, filled, tmp_path, monkeypatch):
    """A training with evaluations arrives between the reading of trainings and evaluations."""
    filled(postgresql_url)
    original = merging.Merging._merge_evaluations

    def late(self):
        filled(postgresql_url, seeds=(5,))
        return original(self)

    monkeypatch.setattr(merging.Merging, "_merge_evaluations", late)
    join(tmp_path / "t.db", postgresql_url)
    assert ask(tmp_path / "t.db", "SELECT count(*) FROM trainings") == [(2,)]

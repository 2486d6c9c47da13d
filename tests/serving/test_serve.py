"""`hfcbench serve` as a user and a visitor meet it."""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
import sys
import urllib.error
import urllib.request

import pytest

from hfcbench.cli.main import call
from hfcbench.serving.functions import SampleDeviation
from hfcbench.serving.server import is_loopback


def message_of(capsys, *arguments, code):
    assert call(["serve", *arguments]) == code
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "Traceback" not in shown
    return shown


def test_pages_are_shown_and_the_file_stays_as_it_is(serving, database):
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    with serving(database) as running:
        assert running.url.startswith("http://127.0.0.1:")
        status, front = running.get("")
        assert status == 200
        assert "hfcbench results" in front
        _, page = running.get("results")
        assert "1. Which model is best" in page
        assert "licen" not in page.lower()
        _, view = running.get("results/leaderboard", _size="5", dataset="cifar10")
        assert "original less lfc." in view
        _, text = running.get("results/datasets.csv")
        assert len(text.splitlines()) == 9
        _write_in_every_way(running)
        assert running.stop() == 0
        assert "Traceback" not in running.process.stderr.read()
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert [file.name for file in database.parent.iterdir()] == [database.name]


def _write_in_every_way(running):
    for sql in ("delete from scores", "with a as (select 1) delete from scores", "vacuum"):
        status, text = running.get("results.json", sql=sql)
        assert status == 400
        assert not json.loads(text)["ok"]
    status, text = running.get("results.json", sql="select writefile('x', 'y')")
    assert status == 400
    request = urllib.request.Request(running.url + "results", data=b"a=1", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    refused.value.close()
    _, text = running.get("results.json", sql="select count(*) as n from datasets", _shape="array")
    assert json.loads(text) == [{"n": 8}]


def test_results_that_a_run_adds_are_seen_at_once(serving, build_pair, build_more):
    path, _, _ = build_pair
    count = {"sql": "select count(*) as n from trainings", "_shape": "array"}
    with serving(path) as running:
        assert json.loads(running.get("results.json", **count)[1]) == [{"n": 2}]
        build_more(path)
        assert json.loads(running.get("results.json", **count)[1]) == [{"n": 3}]


def test_scripts_in_names_are_shown_and_not_run(serving, build_pair, build_more):
    path, _, _ = build_pair
    build_more(path, model="<script>alert(1)</script>")
    with serving(path) as running:
        for page in ("results/trainings", "results/ranked", "results/leaderboard"):
            status, text = running.get(page)
            assert status == 200
            assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_damaged_bytes_are_an_error_of_the_query_alone(serving, build_pair):
    path, first, second = build_pair
    with sqlite3.connect(path) as connection:
        connection.execute("update predictions set predicted = x'00'")
    connection.close()
    with serving(path) as running:
        asked = {"first": first, "second": second}
        status, _ = running.get("results/question_08_comparison.json", **asked)
        assert status == 400
        assert running.get("results")[0] == 200


def test_a_host_for_others_is_said(serving, build_pair):
    with serving(build_pair[0], "--host", "0.0.0.0") as running:
        assert running.first_line.startswith(str(build_pair[0]))
        running.stop()
        assert "open to others: whoever can reach 0.0.0.0" in running.process.stderr.read()


def test_the_port_is_taken(capsys, build_pair):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        shown = message_of(capsys, "--db", str(build_pair[0]), "--port", port, code=2)
    assert f"port {port} of 127.0.0.1 is taken by another program" in shown
    assert "--port 0" in shown


def test_nothing_to_serve(capsys, tmp_path):
    shown = message_of(capsys, "--db", str(tmp_path / "no.db"), code=1)
    assert "there is no results database at" in shown
    (tmp_path / "text.db").write_text("no database" * 100, encoding="utf-8")
    assert "text.db" in message_of(capsys, "--db", str(tmp_path / "text.db"), code=1)


def test_a_database_on_a_server(capsys):
    url = "postgresql://me:secret@example.org/results"
    shown = message_of(capsys, "--db", url, code=1)
    assert "only SQLite files can be served" in shown
    assert "secret" not in shown
    assert "hfcbench db export" in shown


def test_a_host_that_does_not_exist(capsys, build_pair):
    shown = message_of(capsys, "--db", str(build_pair[0]), "--host", "no.invalid", code=2)
    assert "there is no host 'no.invalid'" in shown


def test_without_datasette_it_says_what_to_install(capsys, build_pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasette", None)
    monkeypatch.setitem(sys.modules, "datasette.app", None)
    shown = message_of(capsys, "--db", str(build_pair[0]), code=2)
    assert "pip install 'hfcbench[serve]'" in shown


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True)),
        *(("0.0.0.0", False), ("192.168.1.5", False), ("example.org", False), ("::", False)),
    ],
)
def test_what_is_this_machine_alone(host, loopback):
    assert is_loopback(host) is loopback


def test_the_deviation_of_a_sample():
    deviation = SampleDeviation()
    for value in (2.0, None, 4.0, 9.0):
        deviation.step(value)
    # By hand: mean 5, squares 9 + 1 + 16 = 26, over 2.
    assert deviation.finalize() == pytest.approx(13**0.5)
    assert SampleDeviation().finalize() is None

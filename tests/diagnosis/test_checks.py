"""Each check on something whole, and on something broken."""

from __future__ import annotations

import importlib
import os
import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path

import build_records
import pytest
import torch

import hfcbench
from hfcbench.diagnosis import Places, examine
from hfcbench.diagnosis.database import database_checks
from hfcbench.diagnosis.devices import device_checks
from hfcbench.diagnosis.disk import disk_checks
from hfcbench.diagnosis.extensions import plugin_checks
from hfcbench.diagnosis.versions import version_checks
from hfcbench.plugins import load_plugins
from hfcbench.results.database.location import parse_location
from hfcbench.results.opening import open_store

GOLDEN = Path(__file__).parents[1] / "results" / "golden"
Usage = namedtuple("Usage", "total used free")


def by_name(checks):
    return {check.name: check for check in checks}


@pytest.fixture
def path(tmp_path):
    """A database with one training and a run that ended well."""
    path = tmp_path / "results.db"
    training = build_records.training()
    with open_store(path, create=True) as store:
        run_id = store.begin_run(build_records.run())
        store.add_dataset(build_records.dataset())
        store.add_training(training, run_id)
        store.finish_run(run_id, "finished")
    return path


def of_database(path):
    return by_name(database_checks(parse_location(path)))


def test_a_whole_database(path):
    found = of_database(path)
    assert {check.state for check in found.values()} == {"ok"}
    assert found["schema"].said == "revision 0006"
    assert "1 datasets, 1 trainings, 0 evaluations" in found["rows"].said
    assert found["last run"].said.startswith("finished, suite smoke, hfcbench 0.1.0 on cpu")
    assert str(path) in found["place"].said


def test_examining_changes_nothing(path):
    before = path.read_bytes()
    of_database(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_no_database_yet_is_no_failure(tmp_path):
    (check,) = database_checks(parse_location(tmp_path / "no.db"))
    assert (check.state, check.mend) == ("warn", "hfcbench run --suite classification")


def test_failures_and_killed_runs_are_told(path):
    with open_store(path) as store:
        store.add_failure(build_records.failure(), store.begin_run(build_records.run()))
    found = of_database(path)
    assert found["last run"].state == "warn"
    assert found["last run"].said.endswith(", 1 failures")
    assert found["last run"].mend.startswith('hfcbench query "select label, error from failures')
    assert found["unfinished"].said.startswith("1 runs were started and not finished")


def test_an_older_and_a_newer_schema(tmp_path, path):
    shutil.copy(GOLDEN / "revision_0003.db", tmp_path / "old.db")
    old = of_database(tmp_path / "old.db")["schema"]
    assert (old.state, old.mend) == ("warn", f"hfcbench db upgrade --db {tmp_path / 'old.db'}")
    connection = sqlite3.connect(path)
    connection.execute("update alembic_version set version_num = '9999'")
    connection.commit()
    connection.close()
    new = of_database(path)["schema"]
    assert (new.state, new.mend) == ("fail", "pip install --upgrade hfcbench")


def test_references_that_lead_nowhere(path):
    connection = sqlite3.connect(path)
    connection.execute("update trainings set dataset_id = 77")
    connection.commit()
    connection.close()
    found = of_database(path)["integrity"]
    assert (found.state, found.said) == ("fail", "references lead nowhere")
    assert found.mend.startswith(f"hfcbench db check --db {path}")


def test_overwritten_pages_are_told(path):
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    for page in range(3, len(content) // size):
        content[page * size : page * size + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(hfcbench.errors.StoreError, match="damaged"):
        of_database(path)


def test_what_is_no_database_is_a_failed_check(tmp_path):
    (tmp_path / "text.db").write_text("I am a text\n" * 100, encoding="utf-8")
    places = Places(parse_location(tmp_path / "text.db"), tmp_path, tmp_path)
    found = [check for check in examine(places, load_plugins) if check.section == "database"]
    assert [check.state for check in found] == ["fail"]
    assert "not an SQLite database" in found[0].said


def test_room_on_disk(tmp_path, monkeypatch):
    places = Places(parse_location(tmp_path / "new" / "a.db"), tmp_path / "new", tmp_path)
    for free, state in ((50.0, "ok"), (1.0, "warn"), (0.1, "fail")):
        usage = Usage(100_000_000_000, 0, int(free * 1e9))
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        found = by_name(disk_checks(places))
        assert {check.state for check in found.values()} == {state}
        assert f"{free:.1f} GB free of 100.0 GB" in found["cache"].said
    assert "(made when needed)" in found["database"].said
    assert found["checkpoints"].mend.endswith("name another place with --artifacts")


def test_folders_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    places = Places(parse_location("postgresql://h/d"), tmp_path / "file" / "x", tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = by_name(disk_checks(places))
    assert set(found) == {"checkpoints", "cache"}
    assert found["checkpoints"].said == f"{tmp_path / 'file'} is no folder"
    assert found["cache"].said == f"{tmp_path} cannot be written to"


def test_plugins_and_those_that_fail():
    class Broken:
        @hfcbench.hookimpl
        def hfcbench_register_models(self, register):
            raise OSError("libmissing.so: cannot open")

    found = list(plugin_checks(lambda: load_plugins({"broken": Broken()}, installed=())))
    assert found[0].name == "hfcbench"
    assert "8 defences" in found[0].said
    failed = found[-1]
    assert failed.state == "fail"
    assert "broken does not load: OSError: libmissing.so" in failed.said
    assert "hfcbench --debug plugins" in failed.mend


def test_versions_are_those_that_are_imported():
    found = by_name(version_checks(importlib.import_module))
    assert {check.state for check in found.values()} == {"ok"}
    assert found["torch"].said == torch.__version__.partition("+")[0]
    assert found["hfcbench"].said == hfcbench.__version__


def test_what_cannot_be_imported():
    def import_module(name):
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")

    found = by_name(version_checks(import_module))
    assert found["torchvision"].state == "fail"
    assert "operator torchvision::nms does not exist" in found["torchvision"].said
    mend = "pip install --upgrade --force-reinstall torch torchvision"
    assert found["torchvision"].mend == mend
    assert found["torch"].state == "ok"


def test_devices_are_those_that_torch_has():
    found = by_name(device_checks())
    assert f"torch threads: {torch.get_num_threads()}" in found["cpu"].said
    assert {name for name in found if name.startswith("cuda:")} == {
        f"cuda:{index}" for index in range(torch.cuda.device_count())
    }
    assert found["auto"].said.startswith("--device auto is ")


def test_a_driver_without_a_gpu_for_torch(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.version, "cuda", None)
    found = by_name(device_checks())["cuda"]
    assert found.state == "warn"
    assert found.said == "there is an NVIDIA driver, and torch is built without CUDA"
    assert "pytorch.org" in found.mend


def test_too_few_threads_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr("hfcbench.diagnosis.devices.usable_processors", lambda: 8)
    found = by_name(device_checks())["cpu"]
    assert (found.state, found.mend) == ("warn", "unset OMP_NUM_THREADS")


def test_a_section_that_breaks_does_not_take_the_others_with_it(tmp_path):
    def broken():
        raise ZeroDivisionError("plugins")

    found = list(examine(Places(parse_location(tmp_path / "a.db"), tmp_path, tmp_path), broken))
    (failed,) = [check for check in found if check.state == "fail"]
    assert failed.section == "plugins"
    assert "ZeroDivisionError: plugins" in failed.said
    assert found[-1].section == "database"

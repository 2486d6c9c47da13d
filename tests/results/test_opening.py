"""Opening: what is there, what is not, and what is something else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from types import ModuleType

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import database_exists, open_store
from hfcbench.results.store import Store

Unprivileged = Callable[[], AbstractContextManager[None]]


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after running the code."""
    code += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    return set(run.stdout.split())


def test_importing_loads_nothing_heavy() -> None:
    loaded = loaded_by("import hfcbench.results.opening, hfcbench.results.records")
    assert not loaded & {"sqlalchemy", "alembic", "pandas", "torch"}


def test_opening_loads_no_alembic_and_no_pandas(store: Store, path: Path) -> None:
    loaded = loaded_by(
        f"from hfcbench import open_store\nwith open_store({str(path)!r}): pass\nimport sys"
    )
    assert "sqlalchemy" in loaded
    assert not loaded & {"alembic", "pandas", "torch"}


def test_a_missing_file_is_made_only_on_request(path: Path) -> None:
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"no results database at .*results.db"):
            open_store(path, read_only=read_only)
    assert not path.exists()
    assert not database_exists(path)
    nested = path.parent / "a" / "b" / "results.db"
    open_store(nested, create=True).close()
    assert database_exists(nested)


def test_creating_read_only_makes_no_sense(path: Path) -> None:
    with pytest.raises(ValueError, match="both"):
        open_store(path, create=True, read_only=True)


def test_an_existing_database_is_kept_when_opened_to_create(
    store: Store, run_id: int, path: Path
) -> None:
    store.close()
    with open_store(path, create=True) as again:
        assert again.query("SELECT count(*) FROM runs")[1] == [(1,)]


def test_sqlite_urls(path: Path) -> None:
    open_store(f"sqlite:///{path}", create=True).close()
    open_store(f"sqlite+pysqlite:///{path}", read_only=True).close()


def test_names_with_signs_that_mean_something_in_urls(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20é.db"
    open_store(path, create=True).close()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with open_store(path, read_only=True) as store:
        assert store.query("SELECT 1")[1] == [(1,)]


@pytest.mark.parametrize("name", ["mysql://host/x", ":memory:", "sqlite://", "", "x://y"])
def test_what_is_no_place_for_results(name: str) -> None:
    with pytest.raises(StoreError):
        open_store(name, create=True)
    with pytest.raises(StoreError):
        database_exists(name)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(tmp_path)
    assert not database_exists(tmp_path)


def test_an_empty_file_is_a_database_yet_to_be_made(path: Path) -> None:
    path.touch()
    assert not database_exists(path)
    with pytest.raises(StoreError, match="is empty"):
        open_store(path, read_only=True)
    open_store(path, create=True).close()
    assert database_exists(path)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("not a database, although long enough to have a header " * 20)
    before = path.read_bytes()
    for create in (False, True):
        with pytest.raises(StoreError, match=r"results.db: it is not an SQLite database"):
            open_store(path, create=create)
    assert path.read_bytes() == before


def test_a_database_of_something_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (cake)")
        connection.commit()
    for create in (False, True):
        with pytest.raises(StoreError, match=r"not one of hfcbench: .*'recipes'"):
            open_store(path, create=create)


def test_a_damaged_file(store: Store, run_id: int, path: Path, build: ModuleType) -> None:
    training = build.training()
    store.add_training(training, run_id)
    records = [build.evaluation(training, f"lfc@{cutoff}") for cutoff in range(1, 60)]
    store.add_evaluations(records, run_id)
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="it is damaged"), open_store(path) as damaged:
        damaged.evaluations()


def test_nothing_is_left_beside_the_file(store: Store, run_id: int, path: Path) -> None:
    store.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with open_store(path, read_only=True) as reader:
        reader.query("SELECT * FROM runs")
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_server_without_driver_or_without_answer_is_one_message() -> None:
    with pytest.raises(StoreError, match=r"need the driver psycopg|cannot be reached") as caught:
        open_store("postgresql://user:secret@localhost:1/results")
    assert "secret" not in str(caught.value)


@pytest.fixture
def readable_path(build: ModuleType) -> Iterator[Path]:
    """A database in a folder that anyone may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "results.db"
        with open_store(path, create=True) as store:
            store.begin_run(build.run())
        yield path
        os.chmod(folder, 0o755)


def test_a_read_only_file_in_a_read_only_folder(
    readable_path: Path, unprivileged: Unprivileged, build: ModuleType
) -> None:
    os.chmod(readable_path, 0o444)
    os.chmod(readable_path.parent, 0o555)
    with unprivileged():
        with open_store(readable_path, read_only=True) as store:
            assert store.query("SELECT suite FROM runs")[1] == [("smoke",)]
            assert store.evaluations().empty
        with (
            pytest.raises(StoreError, match=r"read-only.*nothing of this step was written"),
            open_store(readable_path) as store,
        ):
            store.begin_run(build.run())
    assert [entry.name for entry in readable_path.parent.iterdir()] == ["results.db"]


def test_a_folder_that_nothing_can_be_made_in(
    readable_path: Path, unprivileged: Unprivileged
) -> None:
    os.chmod(readable_path.parent, 0o555)
    with unprivileged():
        for missing in ("other.db", "folder/other.db"):
            with pytest.raises(StoreError, match=r"other.db"):
                open_store(readable_path.parent / missing, create=True)


def test_a_file_that_may_not_be_read(readable_path: Path, unprivileged: Unprivileged) -> None:
    os.chmod(readable_path, 0o000)
    with unprivileged(), pytest.raises(StoreError, match="cannot be opened"):
        open_store(readable_path, read_only=True)

"""Stores, records and processes for the tests of the results database."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hfcbench.attack_types import Search
from hfcbench.reliability_checks import Check
from hfcbench.results.opening import open_store
from hfcbench.results.store import Store

HERE = Path(__file__).parent
_NOBODY = 65534


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The record builders of build_records.py."""
    specification = importlib.util.spec_from_file_location(
        "build_records", HERE / "build_records.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy: making one takes a while."""
    path = tmp_path_factory.mktemp("template") / "results.db"
    open_store(path, create=True).close()
    return path


@pytest.fixture
def store(path: Path, template: Path) -> Iterator[Store]:
    """An empty database."""
    shutil.copyfile(template, path)
    with open_store(path) as opened:
        yield opened


@pytest.fixture
def run_id(store: Store, build: ModuleType) -> int:
    """A run in the store, which knows the dataset of the records."""
    store.add_dataset(build.dataset())
    return store.begin_run(build.run())


@pytest.fixture
def add_attacked(store: Store, run_id: int, build: ModuleType) -> Callable[..., Any]:
    """Add a training with a clean evaluation, and one for each attack, of each defence."""
    pgd = {"steps": 20, "step_share": 0.1, "random_start": False, "restarts": 1, "norm": "linf"}
    sound = (Check("vanishing-gradients", 0.0, 0.1, 50), Check("random-answers", 0.0, 0.0, 50))

    def add_training(*attacked: dict[str, Any], clean: float = 0.9, **changes: Any) -> Any:
        training = build.training(**changes)
        store.add_training(training, run_id)
        defences = dict.fromkeys(one.get("defence", "none") for one in attacked)
        records = [build.evaluation(training, value=clean, defence=name) for name in defences]
        for one in attacked:
            given = {"attack": "pgd", "epsilon": 0.03, "n": 200, "checks": sound, **one}
            given.setdefault("search", Search("worst-case"))
            given["attack_parameters"] = pgd if "pgd" in given["attack"] else {}
            records.append(build.evaluation(training, given.pop("component", "original"), **given))
        store.add_evaluations(records, run_id)
        return training

    return add_training


@pytest.fixture
def count(path: Path) -> Callable[[str], int]:
    """The number of rows of a table, asked on a connection of its own."""

    def rows_of(table: str) -> int:
        with open_store(path, read_only=True) as reader:
            return int(reader.query(f"SELECT count(*) FROM {table}")[1][0][0])

    return rows_of


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start writing_process.py with arguments; what still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(HERE / "writing_process.py"), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """Run a block as a user whom file permissions bind; root ignores them."""
    # That user may not be able to read the interpreter's own folder: import before.
    import alembic.command
    import pandas

    assert alembic.command
    assert pandas.DataFrame

    @contextmanager
    def as_nobody() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(_NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)

    return as_nobody

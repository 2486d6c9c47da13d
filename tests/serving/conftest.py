"""A real server on a free port, and what it answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import build_records
import made_database
import pytest
from build_answers import add_answers

from hfcbench.results.opening import open_store


@dataclass(frozen=True)
class Server:
    """A running `hfcbench serve`."""

    url: str
    first_line: str
    process: subprocess.Popen[str]

    def get(self, path: str, **parameters: str) -> tuple[int, str]:
        """Status and text of a page."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        try:
            with urllib.request.urlopen(self.url + path + query, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def rows(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """The rows that a ready query answers."""
        status, text = self.get(f"results/{query}.json", _shape="array", **parameters)
        assert status == 200, text
        return json.loads(text)

    def stop(self) -> int:
        """End it as Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@contextmanager
def _serving(path: Path, *options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "hfcbench", "serve", "--db", str(path), "--port", "0"]
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert " at http" in line, process.stderr.read()
            yield Server(line.split(" at ")[1].split()[0], line, process)
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def serving() -> Callable[..., Any]:
    """Starts `hfcbench serve` on a database."""
    pytest.importorskip("datasette", reason="datasette is not installed")
    return _serving


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and twenty thousand scores, with stored answers."""
    path = tmp_path_factory.mktemp("served") / "results.db"
    made_database.make_database(path, 120_000)
    add_answers(path)
    return path


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[Server]:
    """The server of that database."""
    pytest.importorskip("datasette", reason="datasette is not installed")
    with _serving(database) as running:
        yield running


@pytest.fixture
def build_pair(tmp_path: Path) -> tuple[Path, str, str]:
    """Two trainings that were seen under three conditions, and answered some images wrongly."""
    path = tmp_path / "pair.db"
    first, second = build_records.training(seed=0), build_records.training(seed=1)
    wrong = {"original": (4, 10), "lfc@8": (8, 30), "hfc@8": (5, 6)}
    with open_store(path, create=True) as store:
        run_id = store.begin_run(build_records.run())
        store.add_dataset(build_records.dataset())
        for training, which in ((first, 0), (second, 1)):
            store.add_training(training, run_id)
            evaluations = [
                build_records.answered(training, range(counts[which]), component=component)
                for component, counts in wrong.items()
            ]
            store.add_evaluations(evaluations, run_id)
    return path, first.identity, second.identity


@pytest.fixture
def build_more() -> Callable[..., None]:
    """Adds another training to a database, with its evaluation on originals."""

    def add(path: Path, **changes: Any) -> None:
        training = build_records.training(seed=7, **changes)
        with open_store(path) as store:
            run_id = store.begin_run(build_records.run())
            store.add_training(training, run_id)
            store.add_evaluations([build_records.answered(training, [1])], run_id)

    return add

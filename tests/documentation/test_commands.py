"""Every command of the documentation is run, in the order of its page."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from page_steps import PAGES, ROOT, Command, FileText, label, steps
from stand_ins import STAND_INS, StandIn, published

import hfcbench
from hfcbench.cli.main import call

ON_PAGES = [
    (label(page), step) for page in PAGES for step in steps(page) if isinstance(step, Command)
]


IN_A_NEW_FOLDER = {"docs/tutorial/index.md"}


class Reader:
    """Does what a page says, in a folder of its own."""

    def __init__(self, folder: Path, cache: Path, capsys, request) -> None:
        self.folder, self.cache, self.capsys, self.request = folder, cache, capsys, request
        self.identities: list[str] = []
        self.other: Callable[[str], StandIn | None] = lambda _: None

    def write(self, file: FileText) -> None:
        path = self.folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")

    def read_published(self) -> None:
        """Let what follows be of the published results."""
        shutil.copy(ROOT / "results.db", self.folder / "results.db")
        self.other = published

    def run(self, command: Command) -> None:
        stand_in = STAND_INS.get(command.text) or self.other(command.text)
        if stand_in is not None and stand_in.left_out:
            return
        line = command.text if stand_in is None else stand_in.of(command.text)
        words = shlex.split(self.filled(line))
        # What a shell does with the output is no matter of hfcbench.
        program, *arguments = itertools.takewhile(lambda word: word not in ("|", ">"), words)
        shown = getattr(self, f"run_{program}")(arguments)
        if command.output:
            assert headings(command.output[0]) in map(headings, shown.splitlines()), line

    def filled(self, line: str) -> str:
        """The line with something real in place of each word in capitals."""
        line = re.sub(r"\bID\b", lambda _: self.identity(), line)
        line = re.sub(r"\b(DIR|DATA)\b", str(self.folder / "data"), line)
        if "POSTGRESQL_URL" in line:
            url = self.request.getfixturevalue("postgresql_url")
            line = line.replace("POSTGRESQL_URL", url)
        return line

    def identity(self) -> str:
        """That of a training; the next one each time, so that two of a line differ."""
        if not self.identities:
            with hfcbench.open_store("results.db", read_only=True) as store:
                rows = store.evaluations(dataset="photo-patches", component="original")
            self.identities = sorted(set(rows["training"]))
        first, *others = self.identities
        self.identities = [*others, first]
        return first[:12]

    def run_hfcbench(self, arguments: list[str]) -> str:
        if arguments[0] in ("run", "verify") and "--help" not in arguments:
            arguments = [*arguments, "--cache-dir", str(self.cache)]
        self.capsys.readouterr()
        code = call(arguments)
        shown = self.capsys.readouterr()
        assert code == 0, f"hfcbench {shlex.join(arguments)}\n{shown.out}\n{shown.err}"
        return shown.out

    def run_sqlite3(self, arguments: list[str]) -> str:
        database, question = arguments
        connection = sqlite3.connect(database)
        try:
            rows = connection.execute(question).fetchall()
        finally:
            connection.close()
        assert rows, question
        return ""

    def run_python(self, arguments: list[str]) -> str:
        answer = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def run_pip(self, arguments: list[str]) -> str:
        """Into a folder of the reader's, without a network, for this test alone."""
        offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
        place = self.folder / "installed"
        self.run_python(["-m", "pip", *arguments, *offline, "--target", str(place)])
        monkeypatch = self.request.getfixturevalue("monkeypatch")
        if str(place) not in sys.path:
            monkeypatch.syspath_prepend(place)
        importlib.invalidate_caches()
        self.request.addfinalizer(forget_own_plugins)
        return ""


def forget_own_plugins() -> None:
    """What a page had its reader install is no module for the next page."""
    for name in [name for name in sys.modules if name.startswith("hfcbench_my_")]:
        del sys.modules[name]


def headings(line: str) -> str:
    """A line of output without what differs between machines."""
    return " ".join(re.sub(r"\d", "", line).split())


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(isinstance(step, Command) for step in steps(page))],
    ids=label,
)
def test_the_commands_of_a_page_run(page, folder, cache, capsys, request):
    reader = Reader(folder, cache, capsys, request)
    if label(page) in IN_A_NEW_FOLDER:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if page.parent.name == "results":
        reader.read_published()
    for step in steps(page):
        reader.run(step) if isinstance(step, Command) else reader.write(step)


def test_stand_ins_are_of_commands_that_some_page_has():
    assert set(STAND_INS) <= {command.text for _, command in ON_PAGES}


def test_only_what_other_programs_do_is_left_out():
    for text, stand_in in STAND_INS.items():
        assert stand_in.left_out != text.startswith("hfcbench"), text
        assert stand_in.left_out or stand_in.of(text) != text
        assert stand_in.reason


def test_pages_have_commands():
    assert len(ON_PAGES) > 40
    assert {name for name, _ in ON_PAGES} >= {"README.md", "docs/database.md"}

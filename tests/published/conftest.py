"""A small database that a real run wrote, compacted as for publishing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from hfcbench.cli.main import call


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a run left it: with its paths and the name of the machine."""
    path = tmp_path_factory.mktemp("written") / "results.db"
    shrunk = ["--epochs", "1", "--train-samples", "60", "--test-samples", "40"]
    arguments = ["run", "--suite", "smoke", "--db", str(path), *shrunk]
    with pytest.MonkeyPatch.context() as patch:
        # What a run stores as its command.
        patch.setattr(sys, "argv", ["hfcbench", *arguments])
        assert call(arguments) == 0
    return path


@pytest.fixture(scope="session")
def compacted(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compacted") / "results.db"
    assert call(["db", "compact", "--db", str(written), "--out", str(path)]) == 0
    return path


@pytest.fixture
def made(compacted: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copy(compacted, tmp_path / "made.db")

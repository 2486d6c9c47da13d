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


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables 1 and 2 and a detector, far too small to say anything, compacted."""
    folder = tmp_path_factory.mktemp("studied")
    shrunk = ["--scale", "quick", "--epochs", "1", "--train-samples", "60", "--test-samples", "40"]
    for more in (
        ["--suite", "paper/table2", *shrunk, "--attack-samples", "20"],
        ["--suite", "paper/table1", *shrunk],
        ["--suite", "detection", "--dataset", "photo-objects(train=16,test=6)", "--epochs", "1"],
    ):
        arguments = ["run", *more, "--db", str(folder / "written.db")]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["hfcbench", *arguments])
            assert call(arguments) == 0
    out = folder / "results.db"
    assert call(["db", "compact", "--db", str(folder / "written.db"), "--out", str(out)]) == 0
    return out


@pytest.fixture
def made(compacted: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copy(compacted, tmp_path / "made.db")

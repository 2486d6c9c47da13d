"""What hostile files would do if anybody ran them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest


class MakesFolder:
    """Unpickling this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def marker(tmp_path):
    """A path that exists only if something hostile was executed."""
    return tmp_path / "executed"


@pytest.fixture
def hostile_pickle(marker):
    """Bytes that make the marker when they are unpickled; shown to work."""
    content = pickle.dumps(MakesFolder(marker))
    pickle.loads(content)
    assert marker.is_dir()
    marker.rmdir()
    return content

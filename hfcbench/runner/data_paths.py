"""Which paths a suite may name: suites come from others, and others know your folders."""

from __future__ import annotations

import os
from pathlib import Path


def stays_below(root: Path | None, path: str) -> bool:
    """Whether a path lies in a folder, going by its text.

    Links that lie in the folder may lead out of it: whoever owns the folder put them there.

    Args:
        root: the data root; None stands for the working folder.
        path: relative to the root, or absolute.
    """
    if path.startswith("~"):
        return False
    top = os.path.abspath(root or Path())
    found = os.path.normpath(os.path.join(top, path))
    return os.path.commonpath([top, found]) == top

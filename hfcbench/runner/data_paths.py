"""Which paths a suite may name: suites come from others, and others know your folders."""

from __future__ import annotations

import os
from pathlib import Path

from hfcbench.types import DataLocation


def stays_below(location: DataLocation, path: str) -> bool:
    """Whether what a path leads to lies below the data root, going by the path's text.

    Links that lie below the root may lead out of it: whoever owns the folder put them there. Only
    a path that goes back up (``..``) is followed, since behind a link that is another folder.

    Args:
        location: its root is the data root; None stands for the working folder.
        path: as a suite says it: relative to the root, absolute, or with ``~``.
    """
    root = os.path.abspath(location.root or "")
    written = os.path.join(root, os.path.expanduser(path))
    # As written first, so that nothing outside is so much as looked at; then what would be opened,
    # which is a path from the working folder where nothing lies below the root.
    return _is_below(root, written, path) and _is_below(root, str(location.find(path)), path)


def _is_below(root: str, found: str, path: str) -> bool:
    real_root = os.path.realpath(root)
    plain = Path(os.path.abspath(found))
    if not (plain.is_relative_to(root) or plain.is_relative_to(real_root)):
        return False
    goes_up = os.pardir in Path(path).parts
    return not goes_up or Path(os.path.realpath(found)).is_relative_to(real_root)

"""Telling whether files have changed since they were decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def signature(folder: Path, files: Iterable[Path]) -> str:
    """A text that changes when any of the files is replaced: names, sizes and times."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()

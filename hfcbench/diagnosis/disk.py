"""Whether there is room where hfcbench writes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.diagnosis.checks import Check, State

if TYPE_CHECKING:
    from hfcbench.diagnosis.examining import Places

_GB = 1_000_000_000
_LITTLE_GB = 5.0
_NOTHING_GB = 0.2


def disk_checks(places: Places) -> Iterator[Check]:
    """Free space, and whether files can be made, for the database, checkpoints and the cache."""
    if places.database.path is not None:
        yield _folder("database", places.database.path.absolute().parent, "--db")
    yield _folder("checkpoints", places.artifacts.absolute(), "--artifacts")
    yield _folder("cache", places.cache.absolute(), "--cache-dir")


def _folder(name: str, folder: Path, option: str) -> Check:
    # A folder that is made when it is needed lies where its nearest parent does.
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    place = f"{folder}" if existing == folder else f"{folder} (made when needed)"
    elsewhere = f"name another place with {option}"
    if not existing.is_dir():
        return Check("disk", name, "fail", f"{existing} is no folder", elsewhere)
    if not os.access(existing, os.W_OK | os.X_OK):
        return Check("disk", name, "fail", f"{existing} cannot be written to", elsewhere)
    try:
        usage = shutil.disk_usage(existing)
    except OSError as error:
        return Check("disk", name, "warn", f"{place}: free space is not known: {error}")
    free = usage.free / _GB
    said = f"{place}: {free:.1f} GB free of {usage.total / _GB:.1f} GB"
    if free < _LITTLE_GB:
        state: State = "fail" if free < _NOTHING_GB else "warn"
        return Check("disk", name, state, said, f"free some space there, or {elsewhere}")
    return Check("disk", name, "ok", said)

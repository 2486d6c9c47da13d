"""Writing a site into a folder, as a whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hfcbench.errors import UsageError

MARKER = ".hfcbench-report.json"
"""Names the files of a report, so that the next one knows which of them are stale."""

_OTHER_NAME = (
    "name an empty or a new folder with --out, or say --force to write beside what is there"
)


def check_folder(out: Path, *, force: bool) -> None:
    """Raise UsageError unless a report may be written there.

    Args:
        force: write into a folder with other files, which stay.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", hint="name a folder with --out")
    if force or not out.is_dir() or (out / MARKER).is_file() or not any(out.iterdir()):
        return
    raise UsageError(f"{out} has files that are of no report of hfcbench", hint=_OTHER_NAME)


def write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Write all files, then remove those of a former report that are none of them.

    They are complete beside the folder before the first one is put into it.

    Args:
        files: by path in the folder, with slashes.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as staged:
            for name, content in files.items():
                target = Path(staged, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            stale = _former(out) - set(files)
            for name in files:
                target = out / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(staged, name), target)
        _remove(out, stale)
        listed = json.dumps({"files": sorted(files)}, indent=1) + "\n"
        (out / MARKER).write_text(listed, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the report cannot be written to {out}: {error}") from error


def _former(out: Path) -> set[str]:
    """The files of the report that is there; none of a marker that cannot be read."""
    try:
        listed = json.loads((out / MARKER).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    if not isinstance(listed, list):
        return set()
    return {name for name in listed if isinstance(name, str) and _is_inside(name)}


def _is_inside(name: str) -> bool:
    """Whether a name from a file that anybody may have edited stays within the folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _remove(out: Path, names: set[str]) -> None:
    for name in sorted(names):
        path = out / name
        path.unlink(missing_ok=True)
        parent = path.parent
        if parent != out and parent.is_dir() and not any(parent.iterdir()):
            shutil.rmtree(parent)

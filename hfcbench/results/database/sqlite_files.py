"""How SQLite files are opened; free of SQLAlchemy, so that asking for a file costs nothing."""

from __future__ import annotations

import errno
import os
import sqlite3
import uuid
from contextlib import closing, suppress
from pathlib import Path

_STEPS_BETWEEN_LOOKS = 1_000_000


def file_uri(path: Path, mode: str) -> str:
    """A URI of a file for ``sqlite3.connect``; ``mode`` is ro, rw or rwc."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def reading_uri(path: Path) -> str:
    """How to open an SQLite file for reading, depending on what may be written there.

    A reader of a WAL database that may write removes the files beside it when it closes; one that
    may not would leave them behind, and in a read-only folder could not even make them.
    """
    if _writable(path) and _writable(path.parent):
        return file_uri(path, "rw")
    write_ahead_log = path.with_name(path.name + "-wal")
    if not _writable(path.parent) and not write_ahead_log.exists():
        return file_uri(path, "ro") + "&immutable=1"
    return file_uri(path, "ro")


def can_lock(folder: Path) -> bool:
    """Whether files in a folder can be locked; True where that cannot be tried."""
    try:
        import fcntl
    except ImportError:
        return True
    probe = folder / f".hfcbench-{uuid.uuid4().hex}.lock"
    try:
        with probe.open("wb") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
    finally:
        with suppress(OSError):
            probe.unlink()
    return True


def let_interrupt(connection: sqlite3.Connection) -> None:
    """Let Ctrl-C end a statement: Python notices it only where it runs itself.

    The driver swallows what Ctrl-C raises there; the statement ends with SQLITE_INTERRUPT.
    """
    connection.set_progress_handler(_go_on, _STEPS_BETWEEN_LOOKS)


def _go_on() -> int:
    # A function of Python, since calling it is what makes Python look for signals.
    return 0


def has_tables(path: Path) -> bool:
    """Whether a file holds anything; True for what is no database, which opening it explains.

    A process that is killed while it makes a database leaves one without tables.
    """
    try:
        with closing(sqlite3.connect(reading_uri(path), uri=True)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True


def copy_database(path: Path, target: Path) -> None:
    """Copy a whole database, with what others have committed; the copy is complete or absent."""
    unfinished = target.with_name(target.name + ".part")
    try:
        with (
            closing(sqlite3.connect(reading_uri(path), uri=True)) as source,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)
        os.replace(unfinished, target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)

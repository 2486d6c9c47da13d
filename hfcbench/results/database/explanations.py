"""What a failing database says, as one clear message each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from hfcbench.errors import StoreError
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.sqlite_files import can_lock

_UNCHANGED = "nothing of this step was written, everything before it is safe"

_SQLITE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        f"the disk is full: {_UNCHANGED}",
        "free some space and repeat the same command",
    ),
    sqlite3.SQLITE_BUSY: (
        f"another process kept it locked for too long: {_UNCHANGED}",
        "wait for that process to finish, or end it, and repeat the same command",
    ),
    sqlite3.SQLITE_READONLY: (
        f"it or its folder is read-only: {_UNCHANGED}",
        "make both writable, or name another database with --db",
    ),
    sqlite3.SQLITE_NOTADB: (
        "it is not an SQLite database",
        "name another file with --db",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "it is damaged",
        "restore it from a copy; `sqlite3 FILE .recover` saves what can be read",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it or the files beside it cannot be opened",
        "check that the file and its folder are there and may be read and written",
    ),
    sqlite3.SQLITE_PERM: (
        "the system does not permit it",
        "check who owns the file and its folder",
    ),
    sqlite3.SQLITE_IOERR: (
        f"the disk reports an error: {_UNCHANGED}",
        "check the disk; a network share that cannot lock files cannot hold the database",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        f"it refuses a row that contradicts its schema: {_UNCHANGED}",
        "this is a mistake in hfcbench or a plugin; please report it",
    ),
}
_NO_LOCKS = (
    f"its file system cannot lock files, as some network shares cannot: {_UNCHANGED}",
    "put the database in another place, such as a local disk, or use PostgreSQL "
    "(--db postgresql://USER@HOST/DATABASE)",
)
_LOCKING_FAILED = {
    *(sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_UNLOCK),
    *(sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK, sqlite3.SQLITE_IOERR_SHMLOCK),
    sqlite3.SQLITE_PROTOCOL,
}
_SQLITE[sqlite3.SQLITE_LOCKED] = _SQLITE[sqlite3.SQLITE_BUSY]

_LOCK_NOT_AVAILABLE = "55P03"
_READ_ONLY_TRANSACTION = "25006"
_DISK_FULL = "53100"
_POSTGRESQL = {
    _LOCK_NOT_AVAILABLE: _SQLITE[sqlite3.SQLITE_BUSY],
    _READ_ONLY_TRANSACTION: _SQLITE[sqlite3.SQLITE_READONLY],
    _DISK_FULL: _SQLITE[sqlite3.SQLITE_FULL],
}


@contextmanager
def explained(location: DatabaseLocation) -> Iterator[None]:
    """Turn whatever the database raises inside into a StoreError that names the place."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        if _code(getattr(error, "orig", None) or error) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error
        raise explain(error, location) from error
    # SQLite keeps any value in any column, and whoever wrote the file may have chosen a text for a
    # number, no date for a date, or JSON that nests without end.
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise StoreError(
            f"the database {location} holds something that hfcbench never writes "
            f"({type(error).__name__}: {_first_line(error)[:200]})",
            hint="if your own runs wrote it, please report it with what --debug shows",
        ) from error


def explain(error: SQLAlchemyError | sqlite3.Error, location: DatabaseLocation) -> StoreError:
    """The message for a failure of the database at ``location``."""
    # SQLAlchemy wraps the driver's errors, and those of column types such as a time without zone.
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, StoreError):
        return cause
    place = f"the database {location}"
    known = _known(cause)
    # SQLite calls it busy, too, when the system has no locks to give.
    if known is _SQLITE[sqlite3.SQLITE_BUSY] and location.path is not None:
        known = known if can_lock(location.path.absolute().parent) else _NO_LOCKS
    if known is not None:
        what, hint = known
        return StoreError(f"{place}: {what} ({_first_line(cause)})", hint=hint)
    if location.path is None and getattr(cause, "sqlstate", None) is None:
        return StoreError(
            f"{place} cannot be reached: {_first_line(cause)}",
            hint="check the URL, and that the server runs and accepts connections",
        )
    return StoreError(f"{place}: {_first_line(cause)}")


def _known(cause: BaseException) -> tuple[str, str] | None:
    if isinstance(cause, sqlite3.Error):
        code = _code(cause)
        if code in _LOCKING_FAILED:
            return _NO_LOCKS
        # The low byte is the kind of error, the rest its variety.
        return _SQLITE.get(code & 0xFF)
    return _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")


def _code(cause: BaseException) -> int:
    """SQLite's code; 0 for errors that are not SQLite's."""
    return int(getattr(cause, "sqlite_errorcode", 0))


def _first_line(cause: BaseException) -> str:
    return str(cause).partition("\n")[0] or type(cause).__name__

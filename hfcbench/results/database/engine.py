"""Connections: how SQLite is set up, and what a write transaction is.

Writers take the database's one write lock before they read anything (``BEGIN IMMEDIATE`` on
SQLite, an advisory lock on PostgreSQL), so that nothing changes between looking and writing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, text

from hfcbench.errors import StoreError
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.sqlite_files import file_uri, let_interrupt, reading_uri

_WRITING = "hfcbench_writing"
_LOCK_KEY = 0x68666362
"""Names the write lock among a PostgreSQL database's advisory locks: 'hfcb' in ASCII."""


NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "afs", "ncpfs"),
        *("fuse.sshfs", "sshfs", "glusterfs", "fuse.glusterfs", "ceph", "lustre", "gpfs", "beegfs"),
    }
)
"""Where SQLite's write-ahead log fails: machines that share files do not share memory. There the
rollback journal is used, which needs nothing but working locks."""


@cache
def file_system_of(path: Path) -> str:
    """The kind of file system that a path lies on, as the system calls it; empty if unknown."""
    import psutil

    folders: dict[str, str] = {
        part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)
    }
    for folder in path.absolute().parents:
        if str(folder) in folders:
            return folders[str(folder)]
    return ""


def make_engine(
    location: DatabaseLocation,
    *,
    read_only: bool,
    busy_timeout_seconds: float,
    create: bool = False,
    foreign_keys: bool = True,
) -> Engine:
    """An engine whose transactions only read, unless they come from :func:`writing`.

    Args:
        location: an existing database, unless ``create``.
        read_only: no connection of this engine can write.
        busy_timeout_seconds: how long to wait for another writer.
        create: make the SQLite file if it is missing.
        foreign_keys: whether SQLite checks them; off only while tables are rebuilt.
    """
    if location.path is None:
        return _postgresql_engine(location.url or "", read_only, busy_timeout_seconds)
    path = location.path

    def connect() -> sqlite3.Connection:
        uri = reading_uri(path) if read_only else file_uri(path, "rwc" if create else "rw")
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _set_up(connection, path, read_only, busy_timeout_seconds, foreign_keys)
        except BaseException:
            connection.close()
            raise
        return connection

    return _sqlite_engine(connect)


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take the write lock when they begin."""
    return engine.execution_options(**{_WRITING: True})


def _set_up(
    connection: sqlite3.Connection,
    path: Path,
    read_only: bool,
    timeout_seconds: float,
    foreign_keys: bool,
) -> None:
    # The file may be anyone's: its views and triggers may not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        let_interrupt(connection)
        return
    if file_system_of(path) not in NETWORK_FILE_SYSTEMS:
        _use_write_ahead_log(connection, timeout_seconds)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")


def _use_write_ahead_log(connection: sqlite3.Connection, timeout_seconds: float) -> None:
    """Readers then never wait for a writer. A file system without shared memory stays as it is."""
    give_up = time.monotonic() + timeout_seconds
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait for other connections here, whatever the busy timeout.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _sqlite_engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    # Without a file name in the URL, SQLAlchemy would choose the pool of a database in memory.
    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=QueuePool)

    def begin(connection: Connection) -> None:
        # The driver's own transactions begin too late: after the first read, before a write.
        kind = "IMMEDIATE" if connection.get_execution_options().get(_WRITING) else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {kind}")

    event.listen(engine, "begin", begin)
    return engine


def _postgresql_engine(url: str, read_only: bool, busy_timeout_seconds: float) -> Engine:
    milliseconds = round(busy_timeout_seconds * 1000)
    try:
        engine = create_engine(
            url,
            connect_args={"options": f"-c lock_timeout={milliseconds} -c timezone=UTC"},
            execution_options={"postgresql_readonly": read_only},
        )
    except ImportError as error:
        raise StoreError(
            f"PostgreSQL databases need the driver psycopg: {error}",
            hint="pip install 'psycopg[binary]'",
        ) from error

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITING):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})

    event.listen(engine, "begin", begin)
    return engine

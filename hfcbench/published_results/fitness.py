"""Whether a results database is fit to be published: whole, complete, small, silent on machines."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

from hfcbench.errors import StoreError
from hfcbench.published_results.scales import scale_problems
from hfcbench.published_results.specifications import specification_problems
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.database.sqlite_files import file_uri
from hfcbench.results.transfer.check import check
from hfcbench.results.transfer.machine_traces import UNNAMED_HOST, text_columns, traces_in
from hfcbench.results.transfer.problems import Problem
from hfcbench.results.transfer.reading import reading

MOST_BYTES = 20_000_000
"""A file of this size is still a guest in a repository."""

_HEADER = slice(18, 20)
_ROLLBACK_JOURNAL = b"\x01\x01"


def file_problems(path: Path) -> Iterator[Problem]:
    """What keeps a file from being opened by plain ``sqlite3``, wherever it lies."""
    content = path.read_bytes()
    if len(content) >= MOST_BYTES:
        yield Problem("file", f"it has {len(content):,} bytes, more than {MOST_BYTES:,}")
    if content[_HEADER] != _ROLLBACK_JOURNAL:
        yield Problem("file", "it keeps a write-ahead log, which readers cannot do everywhere")
    if path.with_name(path.name + "-wal").exists():
        yield Problem("file", "a write-ahead log lies beside it, which may hold a part of it")
    try:
        with _plain(path) as connection:
            for (message,) in connection.execute("PRAGMA integrity_check"):
                if message != "ok":
                    yield Problem("file", str(message))
    except sqlite3.Error as error:
        yield Problem("file", f"plain sqlite3 cannot read it: {error}")


def schema_problems(path: Path) -> Iterator[Problem]:
    """A schema that is not this hfcbench's newest."""
    with _plain(path) as connection:
        found = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    if found != [REVISIONS[-1]]:
        stated = ", ".join(found) or "none"
        yield Problem("schema", f"its revision is {stated}, not {REVISIONS[-1]}")


def consistency_problems(path: Path) -> Iterator[Problem]:
    """What ``hfcbench db check`` finds: identities, references, predictions, scores."""
    try:
        with reading(DatabaseLocation(path=path)) as connection:
            yield from check(connection, None)
    except StoreError as error:
        yield Problem("file", error.what)


def leaderboard_problems(path: Path) -> Iterator[Problem]:
    """A leaderboard without rows, or rows that say nothing."""
    with _plain(path) as connection:
        rows = connection.execute("SELECT COUNT(*), COUNT(original) FROM leaderboard").fetchone()
    if rows[0] == 0:
        yield Problem("leaderboard", "it has no rows")
    if rows[0] != rows[1]:
        yield Problem("leaderboard", f"{rows[0] - rows[1]} of its rows have no original score")


def trace_problems(path: Path) -> Iterator[Problem]:
    """Names of hosts, absolute paths and accounts, in any column that holds text."""
    with _plain(path) as connection:
        for table, column in text_columns(connection):
            texts = connection.execute(
                f'SELECT DISTINCT "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\''
            )
            for (text,) in texts:
                for trace in traces_in(text):
                    yield Problem(f"{table}.{column}", f"it names '{trace}'")
        for (host,) in connection.execute("SELECT DISTINCT host FROM runs"):
            if host != UNNAMED_HOST:
                yield Problem("runs.host", f"it names the machine '{host}'")
        for (machine,) in connection.execute("SELECT DISTINCT machine FROM claims"):
            yield Problem("claims.machine", f"it names '{machine}', which is working right now")


CHECKS: Mapping[str, Callable[[Path], Iterator[Problem]]] = MappingProxyType(
    {
        "file": file_problems,
        "schema": schema_problems,
        "consistency": consistency_problems,
        "specifications": specification_problems,
        "scales": scale_problems,
        "leaderboard": leaderboard_problems,
        "traces": trace_problems,
    }
)
"""Every check of a database file, by name."""


def _plain(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(file_uri(path, "ro"), uri=True))

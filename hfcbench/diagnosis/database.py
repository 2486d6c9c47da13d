"""The results database: what it is, whether it is whole, and the last run."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfcbench.diagnosis.checks import Check
from hfcbench.results.database.location import DatabaseLocation

if TYPE_CHECKING:
    from hfcbench.results.transfer.status import Status

_SHOWN = ("datasets", "trainings", "evaluations", "scores", "analyses", "failures", "runs")
_LAST_RUN = """
SELECT runs.uuid, runs.started_at, runs.status, runs.suite, runs.hfcbench_version, runs.device,
       (SELECT COUNT(*) FROM failures WHERE failures.run_id = runs.run_id) AS failures
FROM runs ORDER BY runs.run_id DESC LIMIT 1
"""


def database_checks(location: DatabaseLocation) -> Iterator[Check]:
    """Place and size, schema, integrity, counts and last run; nothing is changed.

    Raises:
        StoreError: it cannot be read, or is none of hfcbench's.
    """
    from hfcbench.results.transfer.status import status_of

    if location.path is not None and not location.path.exists():
        said = f"none yet at {location.path}"
        yield Check("database", "place", "warn", said, "hfcbench run --suite classification")
        return
    found = status_of(location)
    yield Check("database", "place", "ok", f"{found.place}, {found.size_bytes / 1e6:.1f} MB")
    if location.path is not None:
        yield from _file_checks(location, location.path)
    yield _schema(found, location)
    if found.revision is None:
        return
    rows = ", ".join(f"{found.rows[name]:,} {name}" for name in _SHOWN if name in found.rows)
    yield Check("database", "rows", "ok", rows)
    if found.unfinished_runs:
        said = f"{found.unfinished_runs} runs were started and not finished: going on or killed"
        mend = "repeat the command of a killed run: what is missing is done then"
        yield Check("database", "unfinished", "warn", said, mend)
    if found.revision == found.newest:
        yield from _last_run(location)


def _schema(found: Status, location: DatabaseLocation) -> Check:
    from hfcbench.results.database.revisions import REVISIONS

    if found.revision == found.newest:
        return Check("database", "schema", "ok", f"revision {found.revision}")
    if found.revision is None:
        mend = f"hfcbench run --suite classification {_option(location)}"
        return Check("database", "schema", "warn", "it is empty", mend)
    said = f"revision {found.revision}, and this hfcbench reads {found.newest}"
    if found.revision in REVISIONS:
        mend = f"hfcbench db upgrade {_option(location)}"
        return Check("database", "schema", "warn", said, mend)
    return Check("database", "schema", "fail", said, "pip install --upgrade hfcbench")


def _file_checks(location: DatabaseLocation, path: Path) -> Iterator[Check]:
    """Of an SQLite file: its pages and references, and the file system that it lies on."""
    from hfcbench.results.database.engine import NETWORK_FILE_SYSTEMS, file_system_of
    from hfcbench.results.database.explanations import explained
    from hfcbench.results.database.sqlite_files import reading_uri

    with (
        explained(location),
        closing(sqlite3.connect(reading_uri(path), uri=True)) as connection,
    ):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        damages = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        loose = connection.execute("PRAGMA foreign_key_check").fetchmany(1)
    if damages != ["ok"] or loose:
        said = "; ".join(map(str, damages)) if damages != ["ok"] else "references lead nowhere"
        mend = f"hfcbench db check {_option(location)} (then restore it from a copy)"
        yield Check("database", "integrity", "fail", said, mend)
    else:
        yield Check("database", "integrity", "ok", "pages and references are whole")
    kind = file_system_of(path.absolute())
    if kind in NETWORK_FILE_SYSTEMS:
        said = f"{kind}: a network share, where locks may fail"
        mend = "put it on a local disk, or use PostgreSQL (--db postgresql://USER@HOST/DATABASE)"
        yield Check("database", "file system", "warn", said, mend)
    else:
        yield Check("database", "file system", "ok", kind or "not known")


def _last_run(location: DatabaseLocation) -> Iterator[Check]:
    from hfcbench.results.opening import open_store

    with open_store(location.url or location.path or "", read_only=True) as store:
        columns, rows = store.query(_LAST_RUN)
    for row in rows:
        run: dict[str, Any] = dict(zip(columns, row, strict=True))
        said = (
            f"{run['status']}, suite {run['suite']}, hfcbench {run['hfcbench_version']} "
            f"on {run['device']}, started {run['started_at']}"
        )
        if run["failures"]:
            said += f", {run['failures']} failures"
            sql = "select label, error from failures order by failure_id desc limit 5"
            mend = f'hfcbench query "{sql}" {_option(location)}'
            yield Check("database", "last run", "warn", said, mend)
        else:
            yield Check("database", "last run", "ok", said)


def _option(location: DatabaseLocation) -> str:
    return f"--db {shlex.quote(str(location))}"

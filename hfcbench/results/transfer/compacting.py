"""A copy of a database that is fit to be published: small, one file, silent about machines."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hfcbench.errors import StoreError, UsageError, nearest
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.location import DatabaseLocation
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.database.sqlite_files import copy_database
from hfcbench.results.transfer.machine_traces import (
    UNNAMED_HOST,
    command_without_traces,
    plain_platform,
    text_columns,
    traces_in,
    without_traces,
)
from hfcbench.results.transfer.rounding import round_boxes, round_predictions
from hfcbench.results.transfer.status import status_of

PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "curves": ("epochs", "curves"),
        "analyses": ("quantities", "analyses"),
        "failures": ("failures",),
        "disagreements": ("disagreements",),
    }
)
"""What can be left out, with its tables in the order in which rows can be deleted."""

# Predictions of one evaluation take one to three kilobytes, which do not share larger pages: at
# SQLite's own 4,096 bytes, published results took 6% more.
_PAGE_BYTES = 2048
# Hashes are over these, so that they can only be kept as they are.
_HASHED = frozenset(
    {
        *((table, "specification") for table in ("trainings", "evaluations", "analyses")),
        ("disagreements", "content"),
        ("pictures", "name"),
    }
)
_SUSPECT = "typeof({0}) = 'text' AND ({0} LIKE '%/%' OR {0} LIKE '%\\%')"


@dataclass(frozen=True)
class Compacted:
    """What compacting did.

    Attributes:
        size_before, size_after: of the files in bytes.
        changed: how many different texts lost paths or names of machines, by ``table.column``.
        dropped: how many rows were left out, by table.
    """

    size_before: int
    size_after: int
    changed: Mapping[str, int]
    dropped: Mapping[str, int]


def compact(
    source: DatabaseLocation,
    target: Path,
    *,
    without: Collection[str] = (),
    digits: int | None = None,
) -> Compacted:
    """Write a copy for others; the source stays as it is, the copy is complete or absent.

    Scores, identities and what they are hashes of are kept exactly.

    Args:
        without: which of :data:`PARTS` to leave out.
        digits: keep confidences and losses of single images to this many significant digits, and
            boxes to 1/64 pixel, so that they compress better; predicted classes are kept exactly.

    Raises:
        UsageError: there is no such part.
        StoreError: the source is on a server, of another revision, or holds a path that an identity
            is over; or there is a file at ``target`` already.
    """
    for part in without:
        if part not in PARTS:
            raise UsageError(f"no part '{part}' can be left out; {nearest(part, PARTS)}")
    path = _checked(source, target)
    unfinished = target.with_name(target.name + ".compact")
    changed: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    try:
        with explained(source):
            copy_database(path, unfinished)
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute("BEGIN")
                _drop(connection, without, dropped)
                _scrub(connection, changed)
                if digits is not None:
                    round_predictions(connection, digits)
                    round_boxes(connection)
                connection.execute("COMMIT")
                connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
                connection.execute("VACUUM")
        os.replace(unfinished, target)
    except OSError as error:
        raise StoreError(f"the copy {target} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return Compacted(path.stat().st_size, target.stat().st_size, changed, dropped)


def _checked(source: DatabaseLocation, target: Path) -> Path:
    if source.path is None:
        raise StoreError(
            f"the database {source} is on a server, and only files can be published",
            hint="`hfcbench db merge` copies its results into a file",
        )
    if target.exists():
        raise StoreError(f"there is a file at {target} already", hint="name another one with --out")
    if not target.parent.is_dir():
        raise StoreError(f"there is no folder {target.parent}", hint="make it, or name another one")
    revision = status_of(source).revision
    if revision != REVISIONS[-1]:
        raise StoreError(
            f"the database {source} has schema revision {revision}, not {REVISIONS[-1]}",
            hint=f"hfcbench db upgrade --db {source}",
        )
    return source.path


def _drop(connection: sqlite3.Connection, without: Collection[str], dropped: Counter[str]) -> None:
    # Who is working on what right now means nothing to readers.
    tables = ["claims", *(table for part in without for table in PARTS[part])]
    for table in tables:
        rows = connection.execute(f'DELETE FROM "{table}"').rowcount
        if rows:
            dropped[table] += rows


def _scrub(connection: sqlite3.Connection, changed: Counter[str]) -> None:
    special: Mapping[tuple[str, str], Callable[[str], str]] = {
        ("runs", "command"): command_without_traces,
        ("runs", "host"): lambda _: UNNAMED_HOST,
        ("runs", "platform"): plain_platform,
    }
    for table, column in text_columns(connection):
        change = special.get((table, column))
        where = "1" if change else _SUSPECT.format(f'"{column}"')
        texts = connection.execute(f'SELECT DISTINCT "{column}" FROM "{table}" WHERE {where}')
        for (text,) in texts.fetchall():
            if table == "conditions" or (table, column) in _HASHED:
                _require_free(table, column, text)
                continue
            new = (change or without_traces)(text)
            if new != text:
                changed[f"{table}.{column}"] += 1
                update = f'UPDATE "{table}" SET "{column}" = ? WHERE "{column}" = ?'
                connection.execute(update, (new, text))


def _require_free(table: str, column: str, text: str) -> None:
    found = traces_in(text)
    if found:
        raise StoreError(
            f"{column} of {table} names {found[0]}, and an identity is the hash of it: "
            "the path cannot be taken out",
            hint="run it again with a path that is relative",
        )

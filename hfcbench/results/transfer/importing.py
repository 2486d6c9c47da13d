"""Reading back what was exported, into a new database."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Table,
    column,
    func,
    insert,
    select,
    table,
    text,
)

from hfcbench.errors import StoreError
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.transfer.exporting import (
    MANIFEST,
    TABLES,
    chunk_of,
    require_pyarrow,
    sha256_of,
)
from hfcbench.results.transfer.values import plain_type, reader_of

_FORMATS = ("csv", "parquet")


def verify(folder: Path) -> Mapping[str, Any]:
    """The manifest of an export whose files are all as they were written.

    Raises:
        StoreError: the folder is no export, was changed since, or is of another schema revision.
    """
    manifest = _manifest(folder)
    for item in TABLES:
        _check(folder, manifest["tables"][item.name], f"{item.name}.{manifest['format']}")
    return manifest


def import_(connection: Connection, folder: Path, manifest: Mapping[str, Any]) -> Mapping[str, int]:
    """Insert exported tables, in one write transaction of an empty database.

    Args:
        manifest: from :func:`verify`.

    Returns:
        Rows per table.

    Raises:
        StoreError: the database has rows, or a file holds what does not fit its table.
    """
    for item in TABLES:
        if connection.scalar(select(func.count()).select_from(item)):
            raise StoreError(
                f"the database is not empty: table {item.name} has rows",
                hint="import into a new one, and join the two with `hfcbench db merge`",
            )
    read = _read_csv if manifest["format"] == "csv" else _read_parquet
    counts = {}
    for item in TABLES:
        entry = manifest["tables"][item.name]
        path = folder / f"{item.name}.{manifest['format']}"
        counts[item.name] = _insert(connection, item, read(path, item))
        if counts[item.name] != entry["rows"]:
            raise StoreError(f"{path} has {counts[item.name]} rows, expected {entry['rows']}")
        if connection.dialect.name == "postgresql":
            _set_sequence(connection, item)
    return counts


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        revision = manifest["schema_revision"]
        known = manifest["format"] in _FORMATS and all(
            isinstance(manifest["tables"][item.name]["rows"], int) for item in TABLES
        )
    except OSError as error:
        raise StoreError(f"{folder} holds no export: {path} cannot be read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is not the manifest of an export: {error!r}") from error
    if revision != REVISIONS[-1]:
        raise StoreError(
            f"{folder} was exported from schema revision {revision}, and this hfcbench reads "
            f"{REVISIONS[-1]}",
            hint="import it with the hfcbench that wrote it "
            f"({manifest.get('hfcbench_version')}), and upgrade that database",
        )
    if not known:
        raise StoreError(f"{path} is not the manifest of an export")
    return manifest


def _check(folder: Path, entry: Mapping[str, Any], expected: str) -> None:
    """Raise StoreError unless the file of a table is the one that was written."""
    # Names in a manifest may be anybody's; only the one that export gives is opened.
    if entry.get("file") != expected:
        raise StoreError(
            f"{folder / MANIFEST} names the file '{entry.get('file')}', expected '{expected}'"
        )
    path = folder / expected
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    if digest != entry.get("sha256"):
        raise StoreError(f"{path} was changed since it was exported")


def _read_csv(path: Path, item: Table) -> Iterator[list[dict[str, Any]]]:
    names = [one.name for one in item.columns]
    readers = [reader_of(one) for one in item.columns]
    with path.open(encoding="utf-8", newline="") as file, _long_fields():
        rows = csv.reader(file)
        try:
            if next(rows, None) != names:
                raise StoreError(f"{path} does not have the columns {', '.join(names)}")
            while lines := list(itertools.islice(rows, chunk_of(item))):
                yield [
                    {
                        name: read(value)
                        for name, read, value in zip(names, readers, line, strict=True)
                    }
                    for line in lines
                ]
        except (ValueError, csv.Error) as error:
            raise StoreError(f"{path}, before line {rows.line_num + 1}: {error}") from error


@contextmanager
def _long_fields() -> Iterator[None]:
    """Predictions are longer than the module's limit, which is one for the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read_parquet(path: Path, item: Table) -> Iterator[list[dict[str, Any]]]:
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [one.name for one in item.columns]
    try:
        file = pq.ParquetFile(path)
        if file.schema_arrow.names != names:
            raise StoreError(f"{path} does not have the columns {', '.join(names)}")
        for batch in file.iter_batches(batch_size=chunk_of(item)):
            yield batch.to_pylist()
    except pa.ArrowException as error:
        raise StoreError(f"{path} is no Parquet file: {error}") from error


def _insert(connection: Connection, item: Table, chunks: Iterator[list[dict[str, Any]]]) -> int:
    target = table(item.name, *(column(one.name, plain_type(one)) for one in item.columns))
    count = 0
    for chunk in chunks:
        try:
            connection.execute(insert(target), chunk)
        except OverflowError as error:
            raise StoreError(f"table {item.name} cannot hold a number: {error}") from error
        count += len(chunk)
    return count


def _set_sequence(connection: Connection, item: Table) -> None:
    """Let a server go on numbering behind the keys that were inserted."""
    keys = list(item.primary_key.columns)
    if len(keys) != 1 or not isinstance(keys[0].type, Integer) or keys[0].foreign_keys:
        return
    name, key = item.name, keys[0].name
    connection.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{name}', '{key}'), "
            f"coalesce(max({key}), 0) + 1, false) FROM {name}"
        )
    )

"""Writing a whole database to files that any program reads."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Column, Connection, LargeBinary, Table, column, select, table

from hfcbench.errors import StoreError, UsageError
from hfcbench.results.column_types import UTCDateTime
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.schema import Base, Claim
from hfcbench.results.transfer.values import plain_type, to_text
from hfcbench.version import __version__

Format = Literal["parquet", "csv"]
MANIFEST = "manifest.json"
_CHUNK = 20_000
_CHUNK_OF_BLOBS = 200

TABLES = tuple(item for item in Base.metadata.sorted_tables if item.name != Claim.__tablename__)
"""Every table but the claims, each after those that it refers to."""


def export(connection: Connection, folder: Path, file_format: Format) -> Mapping[str, int]:
    """Write every table to a file of its own, and a manifest with their sizes and hashes.

    Args:
        connection: to a database of the newest revision.
        folder: made if it is missing; must be empty.
        file_format: ``csv``, or ``parquet`` (needs pyarrow).

    Returns:
        Rows per table.

    Raises:
        UsageError: pyarrow is missing.
        StoreError: the folder is not empty, or cannot be written.
    """
    if file_format == "parquet":
        require_pyarrow()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StoreError(f"the folder {folder} is not empty", hint="name another one")
        write = _write_csv if file_format == "csv" else _write_parquet
        files: dict[str, dict[str, Any]] = {}
        for item in TABLES:
            path = folder / f"{item.name}.{file_format}"
            rows = write(connection, item, path)
            digest = sha256_of(path)
            files[item.name] = {"file": path.name, "rows": rows, "sha256": digest}
        manifest = {
            "format": file_format,
            "schema_revision": REVISIONS[-1],
            "hfcbench_version": __version__,
            "tables": files,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from error
    return {name: int(entry["rows"]) for name, entry in files.items()}


def sha256_of(path: Path) -> str:
    """The sha256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chunk_of(item: Table) -> int:
    """How many rows of a table are held at once; one of predictions may have 100 kB."""
    long = any(isinstance(one.type, LargeBinary) or one.name == "content" for one in item.columns)
    return _CHUNK_OF_BLOBS if long else _CHUNK


def require_pyarrow() -> None:
    """Raise UsageError unless Parquet files can be read and written."""
    if find_spec("pyarrow") is None:
        raise UsageError(
            "Parquet files need pyarrow, which is not installed",
            hint="pip install 'hfcbench[parquet]', or use --format csv",
        )


def _chunks(connection: Connection, item: Table) -> Iterator[list[tuple[Any, ...]]]:
    columns = [column(one.name, plain_type(one)) for one in item.columns]
    keys: list[Any] = [column(one.name) for one in item.primary_key.columns]
    statement = select(*columns).select_from(table(item.name)).order_by(*keys)
    result = connection.execute(statement.execution_options(yield_per=chunk_of(item)))
    for chunk in result.partitions():
        yield [tuple(row) for row in chunk]


def _write_csv(connection: Connection, item: Table, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        # With line feeds alone, the module would leave carriage returns unquoted.
        writer = csv.writer(file)
        writer.writerow([one.name for one in item.columns])
        for chunk in _chunks(connection, item):
            writer.writerows([to_text(value) for value in row] for row in chunk)
            count += len(chunk)
    return count


def _write_parquet(connection: Connection, item: Table, path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(one.name, _arrow_type(one)) for one in item.columns])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for chunk in _chunks(connection, item):
            rows = [dict(zip(schema.names, row, strict=True)) for row in chunk]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(chunk)
    return count


def _arrow_type(one: Column[Any]) -> Any:
    import pyarrow as pa

    kinds: dict[type, Any] = {
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        str: pa.string(),
        bytes: pa.binary(),
    }
    kind = plain_type(one)
    if isinstance(kind, UTCDateTime):
        return pa.timestamp("us", tz="UTC")
    return kinds[kind.python_type]

"""Values of columns as text, so that CSV holds exactly what a database holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Float, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from hfcbench.errors import StoreError
from hfcbench.results.column_types import Bound, CanonicalJSON, UTCDateTime

NULL = "\\N"


def plain_type(column: Column[Any]) -> TypeEngine[Any]:
    """The type under which a column's values move as they lie: JSON stays text."""
    if isinstance(column.type, CanonicalJSON):
        return Text()
    return Double() if isinstance(column.type, Bound) else column.type


def to_text(value: Any) -> str:
    """A value in CSV: ``\\N`` is NULL, and text that begins with a backslash gets one more."""
    if value is None:
        return NULL
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = str(value)
    return "\\" + text if text.startswith("\\") else text


def reader_of(column: Column[Any]) -> Callable[[str], Any]:
    """What turns a column's text back into values.

    Raises:
        StoreError: (the function) a text that is no value of this column.
    """
    kind = column.type
    if isinstance(kind, UTCDateTime):
        read: Callable[[str], Any] = datetime.fromisoformat
    elif isinstance(kind, LargeBinary):
        read = bytes.fromhex
    elif isinstance(kind, Boolean):
        read = {"true": True, "false": False}.__getitem__
    elif isinstance(kind, Integer | BigInteger):
        read = int
    elif isinstance(kind, Float | Bound):
        read = float
    else:
        read = _unescaped

    def value(text: str) -> Any:
        if text == NULL:
            return None
        try:
            return read(text)
        except (ValueError, KeyError) as error:
            raise StoreError(f"'{text[:40]}' is no value of column {column}") from error

    return value


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("\\") else text

"""What a check of a database finds, and how it walks through rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select

_CHUNK = 2_000


@dataclass(frozen=True)
class Problem:
    """Something that contradicts itself.

    Attributes:
        where: table and row.
        what: one sentence.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def chunks(
    connection: Connection, statement: Select[*tuple[Any, ...]], key: Any
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of a statement by their first column, never all of them in memory."""
    after = 0
    while True:
        rows: Sequence[Row[*tuple[Any, ...]]] = connection.execute(
            statement.where(key > after).order_by(key).limit(_CHUNK)
        ).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]

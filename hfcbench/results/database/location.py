"""Where a results database lies: an SQLite file or a PostgreSQL server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from hfcbench.errors import StoreError

_HINT = "give the path of an SQLite file, or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True)
class DatabaseLocation:
    """Exactly one of ``path`` (SQLite) and ``url`` (PostgreSQL) is set."""

    path: Path | None = None
    url: str | None = None

    def __str__(self) -> str:
        """For messages: the path, or the URL without its password."""
        if self.path is not None:
            return str(self.path)
        return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", self.url or "")


def parse_location(url_or_path: str | Path) -> DatabaseLocation:
    """Read a path, ``sqlite:///PATH`` or ``postgresql://...``; touches no file and no server.

    Raises:
        StoreError: another kind of database, or one that is not kept (``:memory:``).
    """
    text = str(url_or_path)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _file(text, text)
    family = scheme.partition("+")[0]
    if family == "sqlite":
        return _file(unquote(rest.removeprefix("/")), text)
    if family in ("postgresql", "postgres"):
        # One driver is supported; a bare URL must not depend on SQLAlchemy's choice of default.
        return DatabaseLocation(url=f"postgresql+psycopg://{rest}")
    raise StoreError(f"'{scheme}' databases are not supported, in {text}", hint=_HINT)


def _file(path: str, text: str) -> DatabaseLocation:
    if path in ("", ":memory:"):
        raise StoreError(f"'{text}' names no file; results must be kept", hint=_HINT)
    return DatabaseLocation(path=Path(path))

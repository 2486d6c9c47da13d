"""Fixtures for all tests."""

from __future__ import annotations

import itertools
import signal
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """Shells start background jobs deaf to Ctrl-C, and so would be what the tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Any]:
    """A real PostgreSQL server of this test session's own."""
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    # Not in pytest's folder: for root, the server is another user's process, and every pytest that
    # starts meanwhile closes that folder to all others again.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: Any) -> str:
    """The URL of an empty database on that server."""
    name = f"test_{next(_numbers)}"
    postgresql_server.psql(f"CREATE DATABASE {name}")
    url: str = postgresql_server.get_uri(database=name)
    return url

"""Fixtures for all tests."""

from __future__ import annotations

import itertools
import signal
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
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real PostgreSQL server of this test session's own."""
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    yield server
    server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: Any) -> str:
    """The URL of an empty database on that server."""
    name = f"test_{next(_numbers)}"
    postgresql_server.psql(f"CREATE DATABASE {name}")
    url: str = postgresql_server.get_uri(database=name)
    return url

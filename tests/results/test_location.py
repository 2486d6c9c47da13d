"""Reading paths and URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcbench.results.database.location import parse_location


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("results.db", "results.db"),
        ("/a/b c.db", "/a/b c.db"),
        ("sqlite:///results.db", "results.db"),
        ("sqlite:////a/b%20c.db", "/a/b c.db"),
        ("sqlite+pysqlite:////a/b.db", "/a/b.db"),
    ],
)
def test_files(text: str, path: str) -> None:
    location = parse_location(text)
    assert location.path == Path(path)
    assert location.url is None
    assert str(location) == path


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_servers_are_reached_by_one_driver(scheme: str) -> None:
    location = parse_location(f"{scheme}://user@host:5432/results?sslmode=require")
    assert location.path is None
    assert location.url == "postgresql+psycopg://user@host:5432/results?sslmode=require"


@pytest.mark.parametrize("password", ["secret", "se:cr@et"])
def test_messages_hide_passwords(password: str) -> None:
    shown = str(parse_location(f"postgresql://user:{password}@host/results"))
    assert shown == "postgresql+psycopg://user:***@host/results"
    assert str(parse_location("postgresql://host:5432/x")) == "postgresql+psycopg://host:5432/x"

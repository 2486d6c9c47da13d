"""What of the machine that wrote it a text gives away: absolute paths, accounts on servers."""

from __future__ import annotations

import re
import shlex
import sqlite3

UNNAMED_HOST = "unnamed"
"""Stands for the name of a machine that nobody needs to know."""

# A path begins where no word ends, so that 8/255 and 22/2287.safetensors are none, and behind no
# other slash of an address such as https://host/page.
_POSIX = re.compile(r"(?<![\w.~/-])/(?:[\w.@+~=-]+/)*([\w.@+~=-]+)/?")
_WINDOWS = re.compile(r"(?<!\w)[A-Za-z]:[\\/]+(?:[\w.@+~ =-]+[\\/]+)*([\w.@+~=-]+)")
# As in postgresql://name:password@host/database, or as SQLite's own addresses of files.
_ACCOUNT = re.compile(r"(\w[\w+]*)://[^\s/@'\"]+@[^\s'\"]+")
_FILE_ADDRESS = re.compile(r"(?:file|sqlite)[\w+]*:/+(?:[\w.@+~=-]+/)*([\w.@+~=-]+)")
_HOMES = ("/home/", "/root/", "/Users/", "/tmp/")
# What distributors add to the version of a kernel: Linux-6.1.0-18-amd64-x86_64-with-glibc2.36.
_KERNEL = re.compile(r"^(\w+-\d+(?:\.\d+)*)-.*?(x86_64|aarch64|arm64|AMD64|i686|ppc64le|s390x)\b")


def traces_in(text: str) -> tuple[str, ...]:
    """The absolute paths and accounts that a text names, in order; empty for a text without."""
    found = [match[0] for pattern in _PATTERNS for match in pattern.finditer(text)]
    found += [home for home in _HOMES if home in text and not any(home in item for item in found)]
    return tuple(found)


def without_traces(text: str) -> str:
    """The text with the last part alone of every absolute path, and no account of a server."""
    text = _ACCOUNT.sub(r"\1://server", text)
    for pattern in (_FILE_ADDRESS, _POSIX, _WINDOWS):
        text = pattern.sub(r"\1", text)
    return text


def command_without_traces(command: str) -> str:
    """A command line as :func:`without_traces`, with paths that have spaces in them, too."""
    try:
        words = shlex.split(command)
    except ValueError:
        return without_traces(command)
    return shlex.join(map(_word_without_traces, words))


def plain_platform(platform: str) -> str:
    """A platform without what a distributor or a provider adds to its kernel's version."""
    return _KERNEL.sub(r"\1-\2", platform)


def text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Table and name of every column of an SQLite database that holds text."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, row[1])
        for (table,) in tables
        for row in connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        if row[2].upper().startswith(("TEXT", "VARCHAR"))
    ]


def _word_without_traces(word: str) -> str:
    option, equals, value = word.partition("=")
    if not option.startswith("--"):
        option, equals, value = "", "", word
    if value.startswith("/") and " " in value:
        value = value.rstrip("/").rpartition("/")[2]
    return option + equals + without_traces(value)


_PATTERNS = (_ACCOUNT, _FILE_ADDRESS, _POSIX, _WINDOWS)

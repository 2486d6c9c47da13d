"""Serving a results database over HTTP until Ctrl-C."""

from __future__ import annotations

import errno
import importlib
import ipaddress
import socket
from pathlib import Path

from hfcbench.errors import StoreError, UsageError
from hfcbench.results.database.location import DatabaseLocation

_WAITING_CONNECTIONS = 64
_HINT = "--host 127.0.0.1 is this machine alone"


def check_installed() -> None:
    """Raise UsageError unless Datasette is there."""
    try:
        importlib.import_module("datasette.app")
        importlib.import_module("uvicorn")
    except ImportError as error:
        raise UsageError(
            f"serving needs Datasette, which is not installed: {error}",
            hint="pip install 'hfcbench[serve]'",
        ) from error


def file_of(location: DatabaseLocation) -> Path:
    """The file to serve.

    Raises:
        StoreError: the database is on a server.
    """
    if location.path is None:
        raise StoreError(
            f"only SQLite files can be served, and {location} is on a server",
            hint="copy it into a file: hfcbench db export FOLDER --db URL, "
            "then hfcbench db import FOLDER --db copy.db",
        )
    return location.path


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 is any free one.

    Raises:
        UsageError: the port is taken, or not to be had, or there is no such host.
    """
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise UsageError(f"there is no host '{host}': {error}", hint=_HINT) from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_WAITING_CONNECTIONS)
    except OSError as error:
        listening.close()
        raise _refused(error, host, port) from error
    return listening


def address_of(listening: socket.socket, host: str) -> str:
    """The URL of what listens."""
    port = listening.getsockname()[1]
    name = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{name}:{port}/"


def serve(path: Path, listening: socket.socket) -> None:
    """Answer requests about an existing database until Ctrl-C; needs Datasette."""
    import asyncio

    import rich
    import uvicorn

    from hfcbench.serving.connections import NAME
    from hfcbench.serving.pages import pages

    # Datasette prints a traceback with all variables for every mistake in a visitor's SQL.
    rich.get_console().quiet = True
    datasette = pages(path)
    asyncio.run(datasette.invoke_startup())
    server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="warning", lifespan="on"))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        # Ctrl-C is how it is meant to end.
        pass
    finally:
        datasette.get_database(NAME).close()


def _refused(error: OSError, host: str, port: int) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"port {port} of {host} is taken by another program",
            hint="name another one, or any free one with --port 0",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return UsageError(
            f"the system does not permit to listen on port {port} of {host}",
            hint="name another one with --port, from 1024 on",
        )
    return UsageError(f"nothing can listen on {host}, port {port}: {error}", hint=_HINT)

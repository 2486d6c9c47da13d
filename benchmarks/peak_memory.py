"""The most memory that a call takes in a process of its own."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

_EVERY_SECONDS = 0.005


def extra_bytes(setup: Callable[[], Callable[[], object]]) -> int:
    """How much more private memory a process has at most during a call than before it.

    Memory-mapped files do not count: the system takes their pages back when it needs them.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, setup))
    process.start()
    theirs.close()
    try:
        found: int = ours.recv()
    finally:
        process.join()
    return found


def _measure(connection: Connection, setup: Callable[[], Callable[[], object]]) -> None:
    run = setup()
    before = peak = _private_bytes()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(_EVERY_SECONDS):
            peak = max(peak, _private_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    connection.send(peak - before)


def _private_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no RssAnon")

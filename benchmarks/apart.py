"""Contenders in processes of their own, as their users run them.

What one library leaves on the heap changes how often another asks the system for memory: in one
process, PGD on a small CNN took its contenders up to a third less time or more, by who ran before.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

Setup = Callable[[], Callable[[], object]]
"""Makes ready, in the contender's process, what is then timed; goes there as a pickle."""


@contextmanager
def apart(setups: Mapping[str, Setup]) -> Iterator[dict[str, Callable[[], object]]]:
    """A function for each contender, which returns when its process has run it once.

    Raises:
        RuntimeError: what a contender raised, with the traceback of its process.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_process(context, setup)) for name, setup in setups.items()
        }


@contextmanager
def _process(context: SpawnContext, setup: Setup) -> Iterator[Callable[[], None]]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, setup))
    process.start()
    theirs.close()

    def run() -> None:
        ours.send("run")
        _expect_done(ours)

    try:
        _expect_done(ours)
        yield run
    finally:
        ours.close()
        process.join()


def _expect_done(connection: Connection) -> None:
    try:
        failure = connection.recv()
    except EOFError:
        raise RuntimeError("a contender's process ended") from None
    if failure is not None:
        raise RuntimeError("a contender failed") from failure


def _serve(connection: Connection, setup: Setup) -> None:
    try:
        run = setup()
        while True:
            connection.send(None)
            connection.recv()
            run()
    except EOFError:
        # The benchmark is over.
        return
    except Exception as error:
        connection.send(RuntimeError(repr(error)))
        raise

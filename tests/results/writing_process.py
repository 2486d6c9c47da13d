"""A process of its own that writes to a database; see test_processes.py."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import build_records as build
from sqlalchemy import Engine, event

from hfcbench.results.opening import open_store


def write(path: str, worker: int, count: int, group: int = 1) -> None:
    """A run, a training shared by all workers, and one commit per group of evaluations."""
    with open_store(path, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        training = build.training()
        store.add_training(training, run_id)
        for start in range(0, count, group):
            # Odd numbers are evaluations that every worker finishes: only one may be stored.
            records = [
                build.evaluation(training, procedure=f"{worker if number % 2 == 0 else 0}-{number}")
                for number in range(start, min(start + group, count))
            ]
            store.add_evaluations(records, run_id)
            for record in records:
                # In one piece: an unbuffered print writes the line and its end apart, and a kill
                # between them would glue the next line to this one.
                sys.stdout.write(f"{record.identity}\n")
                sys.stdout.flush()
        store.finish_run(run_id, "finished")


def serve() -> None:
    """Fork a process that writes for every line of input: path, worker, count.

    All imports are done once, so that starting and killing many writers takes little time.
    """
    for line in sys.stdin:
        path, worker, count = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            os.setsid()
            write(path, int(worker), int(count))
            os._exit(0)
        print(f"pid {child}", flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)


def die_at(beginning: str) -> None:
    """Be killed when a statement is to run that begins so."""

    @event.listens_for(Engine, "before_cursor_execute")
    def kill(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.strip().startswith(beginning):
            os.kill(os.getpid(), signal.SIGKILL)


def die_creating(path: str) -> None:
    """Be killed when the tables are made, but not the views."""
    die_at("CREATE VIEW")
    open_store(path, create=True)


def die_inside(path: str) -> None:
    """Be killed within the transaction of two evaluations, when half of it is written."""
    with open_store(path, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        training = build.training()
        store.add_training(training, run_id)
        store.add_evaluations([build.evaluation(training)], run_id)

        die_at("INSERT INTO scores")
        others = [build.evaluation(training, f"lfc@{cutoff}") for cutoff in (4, 8)]
        store.add_evaluations(others, run_id)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], *map(int, sys.argv[3:]))
    elif sys.argv[1] == "serve":
        serve()
    elif sys.argv[1] == "die-creating":
        die_creating(sys.argv[2])
    else:
        die_inside(sys.argv[2])

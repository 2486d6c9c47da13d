"""What an executor is, for those who write one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hfcbench.runner.tasks import Outcome, Task

Advance = Callable[[float], None]
"""Told the finished share of a task, in [0,1]."""


class Worker(Protocol):
    """Carries out one task; never raises for a task that fails."""

    def run(self, task: Task, advance: Advance) -> Outcome:
        """The task's results or failures; an interrupt passes through."""


class Follower(Protocol):
    """Follows the tasks of a run."""

    def started(self, task: Task) -> None:
        """The task begins."""

    def advanced(self, task: Task, share: float) -> None:
        """The finished share of a running task, in [0,1]."""


class Listener(Follower, Protocol):
    """Follows the tasks of a run, and says which of them this process may do."""

    def claim(self, task: Task) -> bool:
        """Whether the task is this process's to run; False while another process works on it."""


class Executor(Protocol):
    """Decides where and in which order tasks run."""

    def execute(
        self, tasks: Sequence[Task], worker: Worker, listener: Listener
    ) -> Iterator[tuple[Task, Outcome]]:
        """Run every task and yield each one's outcome as it comes.

        The tasks come in an order in which each training stands before the tasks that need it. A
        task whose training failed is not run: ``Outcome(skipped=True)``. Before a task
        runs, ``listener.claim`` must allow it; otherwise its outcome is ``Outcome(deferred=True)``.
        """


@dataclass(frozen=True)
class Place:
    """What tasks compute on, as a run's record says it.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        name: what is known of it, such as how many threads compute.
    """

    device: str
    name: str


@runtime_checkable
class Elsewhere(Protocol):
    """What an executor has, too, whose tasks compute on another device than the run's own."""

    def place(self, device: str) -> Place:
        """Where tasks compute, in a run on that device."""

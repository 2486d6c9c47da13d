"""Which task may run next: each waits for the training that it needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hfcbench.runner.tasks import Task, TrainingTask


class TaskQueue:
    """Tasks by their numbers, in their order.

    What a finished training lets run goes first: its checkpoint is then needed for a short time
    only, and so is the claim on it.

    Args:
        tasks: each training stands before the tasks that need it.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._waiting: dict[str, list[int]] = {}
        self._ready: deque[int] = deque()
        for number, task in enumerate(tasks):
            if isinstance(task, TrainingTask):
                self._waiting[task.identity] = []
                self._ready.append(number)
            elif task.needs in self._waiting:
                self._waiting[task.needs].append(number)
            else:
                self._ready.append(number)

    def take(self) -> int | None:
        """The next task that may run; None while there is none."""
        return self._ready.popleft() if self._ready else None

    def trained(self, identity: str) -> None:
        """A training is done: what waited for it may run."""
        self._ready.extendleft(reversed(self._waiting.pop(identity)))

    def drop(self, identity: str) -> list[int]:
        """A training is not to be had: the tasks that waited for it, which will not run."""
        return self._waiting.pop(identity)

"""One task after the other in the calling process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.runner.executor import Executor, Listener, Worker
from hfcbench.runner.tasks import Outcome, Task, TrainingTask


@dataclass(frozen=True)
class InProcess:
    """Run one task after the other in this process."""

    def execute(
        self, tasks: Sequence[Task], worker: Worker, listener: Listener
    ) -> Iterator[tuple[Task, Outcome]]:
        failed: set[str] = set()
        for task in tasks:
            if not isinstance(task, TrainingTask) and task.needs in failed:
                yield task, Outcome(skipped=True)
                continue
            if not listener.claim(task):
                yield task, Outcome(deferred=True)
                continue
            listener.started(task)
            outcome = worker.run(task, partial(listener.advanced, task))
            if isinstance(task, TrainingTask) and outcome.training is None:
                failed.add(task.identity)
            yield task, outcome


@hookimpl
def hfcbench_register_executors(register: Register[Executor]) -> None:
    register("in-process", InProcess, version="1")

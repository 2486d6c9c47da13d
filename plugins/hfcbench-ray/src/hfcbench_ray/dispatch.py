"""The order of a run on a cluster: what is sent when, and what follows from what comes back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hfcbench.errors import NodeError
from hfcbench.results.records import TrainingRecord
from hfcbench.runner.executor import Listener
from hfcbench.runner.recording import failures
from hfcbench.runner.tasks import Outcome, Task, TrainingTask, training_of
from hfcbench_ray.blueprints import Done
from hfcbench_ray.checkpoints import Checkpoints
from hfcbench_ray.cluster import Room
from hfcbench_ray.flights import Flights
from hfcbench_ray.task_queue import TaskQueue

_WAIT_SECONDS = 0.5
_SENT_PER_PLACE = 2
"""So many tasks are sent for each that can run, so that no node waits for the next one."""


@dataclass
class Dispatch:
    """Runs tasks through flights.

    Args:
        tasks: each training stands before the tasks that need it.
        room: how many tasks the cluster can run at a time.
    """

    tasks: Sequence[Task]
    listener: Listener
    flights: Flights
    checkpoints: Checkpoints
    room: Room
    _queue: TaskQueue = field(init=False)
    _open: Counter[str] = field(init=False)
    _sha256: dict[str, str] = field(default_factory=dict)
    _started: set[int] = field(default_factory=set)
    _looked_at: float = 0.0

    def __post_init__(self) -> None:
        self._queue = TaskQueue(self.tasks)
        self._open = Counter(training_of(task) for task in self.tasks)

    def outcomes(self) -> Iterator[tuple[Task, Outcome]]:
        """Each task with its outcome, as they come."""
        try:
            while True:
                yield from self._send()
                if not self.flights:
                    return
                yield from self._land(_WAIT_SECONDS)
                self._look()
        except KeyboardInterrupt:
            # What is finished is kept, also if nobody has looked at it yet.
            yield from self._land(0)
            raise
        finally:
            self.flights.cancel()

    def _send(self) -> Iterator[tuple[Task, Outcome]]:
        """Send what may run, as far as there is room; yield what another process works on."""
        most = _SENT_PER_PLACE * self.room.tasks() + 1
        while len(self.flights) < most:
            number = self._queue.take()
            if number is None:
                return
            task = self.tasks[number]
            if self.listener.claim(task):
                self._send_one(number, task)
            else:
                yield from self._end(number, Outcome(deferred=True))

    def _send_one(self, number: int, task: Task) -> None:
        if isinstance(task, TrainingTask):
            self.flights.send(number, task, None)
            return
        # What was trained in this run is known by its hash, too.
        known = self._sha256.get(task.needs, task.checkpoint_sha256)
        sent = replace(task, checkpoint_sha256=known)
        self.flights.send(number, sent, self.checkpoints.reference(task.needs))

    def _land(self, seconds: float) -> Iterator[tuple[Task, Outcome]]:
        for number, done in self.flights.landed(seconds):
            self._start(number)
            yield from self._end(number, self._kept(self.tasks[number], done))

    def _kept(self, task: Task, done: Done) -> Outcome:
        training: TrainingRecord | None = done.outcome.training
        if training is None:
            return done.outcome
        try:
            self.checkpoints.keep(training, done.files)
        except NodeError as error:
            return Outcome(failures=failures(task, error, ""))
        self._sha256[training.identity] = training.checkpoint.sha256
        return done.outcome

    def _end(self, number: int, outcome: Outcome) -> Iterator[tuple[Task, Outcome]]:
        """A task is through, and with a training that is not to be had all that need it."""
        task = self.tasks[number]
        ended = [(task, outcome)]
        if isinstance(task, TrainingTask):
            if outcome.training is not None:
                self._queue.trained(task.identity)
            else:
                left = Outcome(skipped=not outcome.deferred, deferred=outcome.deferred)
                ended += [(self.tasks[other], left) for other in self._queue.drop(task.identity)]
        identity = training_of(task)
        self._open[identity] -= len(ended)
        if not self._open[identity]:
            self.checkpoints.release(identity)
        yield from ended

    def _look(self) -> None:
        """Pass on what workers told, now and then."""
        if time.monotonic() - self._looked_at < _WAIT_SECONDS:
            return
        self._looked_at = time.monotonic()
        for number, news in self.flights.news().items():
            if self.flights.has(number):
                self._start(number)
                self.listener.advanced(self.tasks[number], news.share)

    def _start(self, number: int) -> None:
        if number not in self._started:
            self._started.add(number)
            self.listener.started(self.tasks[number])

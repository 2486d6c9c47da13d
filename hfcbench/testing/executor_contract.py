"""What an executor promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from hfcbench.references import Kind, Reference
from hfcbench.results.records import ArtifactRecord, TrainingRecord
from hfcbench.runner.executor import Advance
from hfcbench.runner.specification import ORIGINAL, DatasetKey, TrainingSpecification
from hfcbench.runner.tasks import CurvePlan, EvaluationTask, Outcome, Task, TrainingTask
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape, Schedule

_TRAININGS = 4


class ExecutorContract(PluginContract):
    """Tests of an executor, on tasks that do nothing; see :class:`hfcbench.runner.executor`."""

    kind: ClassVar[Kind] = "executor"

    def test_every_task_comes_back_once(self) -> None:
        """With what the worker returned for it."""
        tasks = _tasks()
        found = self._run(tasks, _Worker(), _Listener())
        counts = Counter(map(_key, (task for task, _ in found)))
        for task in tasks:
            if counts[_key(task)] != 1:
                raise self.fail(f"yields the task '{task.label}' {counts[_key(task)]} times")
        if len(found) != len(tasks):
            raise self.fail(f"yields {len(found)} outcomes of {len(tasks)} tasks")
        for task, outcome in found:
            trained = None if outcome.training is None else outcome.training.identity
            if outcome.skipped or outcome.deferred or outcome.failures:
                raise self.fail(f"yields no result of the task '{task.label}', which has one")
            if isinstance(task, TrainingTask) and trained != task.identity:
                raise self.fail(f"yields another task's outcome for '{task.label}'")

    def test_a_training_comes_before_what_needs_it(self) -> None:
        """The database refuses an evaluation of a training that it does not know."""
        trained: set[str] = set()
        for task, _ in self._run(_tasks(), _Worker(), _Listener()):
            if isinstance(task, TrainingTask):
                trained.add(task.identity)
            elif task.needs not in trained:
                raise self.fail(f"yields '{task.label}' before the training that it needs")

    def test_what_needs_a_failed_training_is_skipped(self) -> None:
        """And nothing else is."""
        tasks = _tasks()
        failing = _key(tasks[0])[1]
        for task, outcome in self._run(tasks, _Worker(failing=failing), _Listener()):
            needs_it = not isinstance(task, TrainingTask) and task.needs == failing
            if outcome.skipped != needs_it:
                raise self.fail(
                    f"{'runs' if needs_it else 'skips'} '{task.label}' "
                    f"where {'its' if needs_it else 'another'} training failed"
                )

    def test_only_what_may_be_claimed_runs(self) -> None:
        """The rest is deferred: another process works on it."""
        tasks = _tasks()
        refused = _key(tasks[0])[1]
        listener = _Listener(refused=refused)
        for task, outcome in self._run(tasks, _Worker(), listener):
            if outcome.deferred != (_key(task)[1] == refused):
                raise self.fail(f"does not heed whether '{task.label}' may be claimed")
        if any(key[1] == refused for key in listener.begun):
            raise self.fail("starts a task that may not be claimed")

    def test_tasks_are_claimed_and_said_to_start(self) -> None:
        """In this order, each once."""
        tasks, listener = _tasks(), _Listener()
        self._run(tasks, _Worker(), listener)
        expected = Counter(map(_key, tasks))
        if Counter(listener.begun) != expected:
            raise self.fail("does not tell its listener of each task once that it starts")
        if not listener.orderly:
            raise self.fail("starts a task before it is claimed")

    def test_there_may_be_nothing_to_do(self) -> None:
        """As when another process was quicker."""
        if self._run([], _Worker(), _Listener()):
            raise self.fail("yields outcomes where there are no tasks")

    def _run(
        self, tasks: Sequence[Task], worker: _Worker, listener: _Listener
    ) -> list[tuple[Task, Outcome]]:
        return list(self.made().execute(tasks, worker, listener))


@dataclass
class _Worker:
    """Returns at once; holds nothing that cannot be sent to another process."""

    failing: str = ""

    def run(self, task: Task, advance: Advance) -> Outcome:
        advance(1.0)
        if not isinstance(task, TrainingTask) or task.identity == self.failing:
            return Outcome()
        return Outcome(training=_record(task))


@dataclass
class _Listener:
    """Keeps what it is told."""

    refused: str = ""
    claimed: list[tuple[str, str]] = field(default_factory=list)
    begun: list[tuple[str, str]] = field(default_factory=list)
    orderly: bool = True

    def claim(self, task: Task) -> bool:
        self.claimed.append(_key(task))
        return _key(task)[1] != self.refused

    def started(self, task: Task) -> None:
        self.orderly = self.orderly and _key(task) in self.claimed
        self.begun.append(_key(task))

    def advanced(self, task: Task, share: float) -> None:
        """How far a task is does not matter here."""


def _key(task: Task) -> tuple[str, str]:
    """What kind of task it is, and of which training."""
    of = task.identity if isinstance(task, TrainingTask) else task.needs
    return type(task).__name__, of


def _tasks() -> list[Task]:
    """Trainings, each with an evaluation behind it."""
    tasks: list[Task] = []
    for seed in range(_TRAININGS):
        specification = _specification(seed)
        tasks.append(TrainingTask(specification, CurvePlan()))
        tasks.append(EvaluationTask(specification, (), ()))
    return tasks


def _specification(seed: int) -> TrainingSpecification:
    dataset, model = Reference("dataset", "images", "1"), Reference("model", "network", "1")
    key = DatasetKey("images", "images", "1", "0" * 64, ImageShape(1, 8, 8), 2, 4, 4, dataset)
    return TrainingSpecification(key, ORIGINAL, model, (), Schedule(epochs=1), seed)


def _record(task: TrainingTask) -> TrainingRecord:
    return TrainingRecord(
        identity=task.identity,
        specification={},
        dataset_fingerprint=task.specification.dataset.fingerprint,
        dataset_name="images",
        model="network",
        heuristics="vanilla",
        trained_on="original",
        rescaling=None,
        seed=task.specification.seed,
        epochs=1,
        parameter_count=0,
        device="cpu",
        started_at=datetime(2020, 1, 1, tzinfo=UTC),
        duration_seconds=0.0,
        checkpoint=ArtifactRecord("checkpoint", "none", "0" * 64, 0),
        curve=(),
    )

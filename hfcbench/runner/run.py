"""Running a plan: tasks to the executor, outcomes to the store, one commit per finished node."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from hfcbench.errors import HfcbenchError, PluginError
from hfcbench.plugins import Plugins
from hfcbench.results.records import FailureRecord
from hfcbench.runner.claiming import Claims
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.executor import Elsewhere, Executor, Follower
from hfcbench.runner.plan import Node, Plan, Remaining, remaining
from hfcbench.runner.provenance import describe_run
from hfcbench.runner.recording import note, score
from hfcbench.runner.tasks import (
    AnalysisTask,
    EvaluationTask,
    Outcome,
    RunSummary,
    Task,
    training_of,
)
from hfcbench.runner.worker import TaskWorker
from hfcbench.types import task_of

if TYPE_CHECKING:
    from hfcbench.results.store import Store
    from hfcbench.results.writing.claims import Holder

GRACE_SECONDS = 60.0
"""How long after its last sign of life a process is taken to be dead."""

_POLL_SECONDS = 3.0


class RunListener(Follower, Protocol):
    """Follows a run; the progress display is one."""

    def finished(self, task: Task, outcome: Outcome) -> None:
        """The task's outcome is in the database."""

    def waiting(self, host: str) -> None:
        """All that is left is being worked on by other processes; one runs on this host."""


@dataclass
class Run:
    """One invocation: a plan, where it runs and where its results go."""

    plan: Plan
    remaining: Remaining
    plugins: Plugins
    datasets: DatasetAccess
    store: Store
    worker: TaskWorker
    executor: Executor
    listener: RunListener
    grace_seconds: float = GRACE_SECONDS
    failures: list[FailureRecord] = field(default_factory=list)
    _nodes: dict[str, Node] = field(init=False)
    _claims: Claims = field(init=False)
    _open_tasks: Counter[str] = field(default_factory=Counter)
    _expected: dict[str, list[Task]] = field(default_factory=dict)
    _holder: Holder | None = None
    _waited_for: set[str] = field(default_factory=set)
    _trained: int = 0
    _evaluated: int = 0
    _analysed: int = 0
    _skipped: int = 0

    def __post_init__(self) -> None:
        self._nodes = {node.training.identity: node for node in self.plan.nodes}

    def __call__(self) -> RunSummary:
        """Do what remains.

        An interrupt ends the run in order: what was finished is stored, and the summary says so.

        Raises:
            StoreError: results cannot be written.
            PluginError: an observer failed.
        """
        start = time.perf_counter()
        device = self.worker.device
        place = self.executor.place(device) if isinstance(self.executor, Elsewhere) else None
        run_id = self.store.begin_run(
            describe_run(self.plan.suite, device, self.plugins.loaded, place)
        )
        status = "aborted"
        try:
            self._notify("before_run", plan=self.plan)
            with Claims(self.store, run_id, self.grace_seconds) as self._claims:
                for task, outcome in self._outcomes(run_id):
                    self._keep(task, outcome, run_id)
            status = "finished_with_failures" if self.failures or self._skipped else "finished"
        except KeyboardInterrupt:
            status = "interrupted"
        finally:
            self.store.finish_run(run_id, status)
        summary = RunSummary(
            trained=self._trained,
            evaluated=self._evaluated,
            failed=len(self.failures),
            skipped=self._skipped,
            seconds=time.perf_counter() - start,
            interrupted=status == "interrupted",
            analysed=self._analysed,
        )
        self._notify("after_run", plan=self.plan, summary=summary)
        return summary

    def _outcomes(self, run_id: int) -> Iterator[tuple[Task, Outcome]]:
        datasets = {node.training.dataset.fingerprint: node.training for node in self.plan.nodes}
        for training in datasets.values():
            self.store.add_dataset(self.datasets.record(training.dataset))
        for identity, metric in self.remaining.unscored:
            made = self.plugins.registry.create(metric)
            detected = task_of(made) == "detection"
            answers = (self.store.detections if detected else self.store.predictions)(identity)
            self.store.add_scores(identity, [score(answers, metric, made)])
        left = self.remaining
        while left.tasks:
            self._open_tasks = Counter(training_of(task) for task in left.tasks)
            self._expected = self._by_training(left.tasks)
            deferred = False
            for task, outcome in self.executor.execute(left.tasks, self.worker, self):
                if outcome.deferred:
                    deferred = True
                else:
                    yield task, outcome
                self._close(task)
            if not deferred:
                return
            self._wait()
            left = self._left_of(left)

    def _left_of(self, before: Remaining) -> Remaining:
        """What is left by now of what was left before, but for what has failed in this run."""
        nodes = dict.fromkeys(training_of(task) for task in before.tasks)
        return self._left_in(self._nodes[identity] for identity in nodes)

    def _left_in(self, nodes: Iterable[Node]) -> Remaining:
        plan = Plan(self.plan.suite, tuple(nodes))
        return self._without_failed(remaining(plan, self.store, self.worker.artifacts))

    def _without_failed(self, left: Remaining) -> Remaining:
        failed = {failure.identity for failure in self.failures}
        tasks: list[Task] = []
        for task in left.tasks:
            if training_of(task) in failed:
                continue
            if isinstance(task, EvaluationTask):
                again = tuple(item for item in task.evaluations if item.identity not in failed)
                if again:
                    tasks.append(replace(task, evaluations=again))
            elif isinstance(task, AnalysisTask):
                others = tuple(item for item in task.analyses if item.identity not in failed)
                if others:
                    tasks.append(replace(task, analyses=others))
            else:
                tasks.append(task)
        return replace(left, tasks=tuple(tasks))

    def _wait(self) -> None:
        """Let the others work for a moment, and say once that this is what happens."""
        if self._holder is not None and self._holder.host not in self._waited_for:
            self._waited_for.add(self._holder.host)
            self.listener.waiting(self._holder.host)
        if self._holder is not None:
            time.sleep(min(_POLL_SECONDS, self.grace_seconds / 4))
        self._holder = None

    def _close(self, task: Task) -> None:
        """Release a claim when the last task of its training is through."""
        identity = training_of(task)
        self._open_tasks[identity] -= 1
        if not self._open_tasks[identity] and self._claims.holds(identity):
            self._claims.release([identity])

    @staticmethod
    def _by_training(tasks: Sequence[Task]) -> dict[str, list[Task]]:
        found: dict[str, list[Task]] = {}
        for task in tasks:
            found.setdefault(training_of(task), []).append(task)
        return found

    def claim(self, task: Task) -> bool:
        """The executor asks whether a task is to be run here.

        Right after claiming, the database is asked once more: another process may have done the
        work since the plan was compared with it.
        """
        identity = training_of(task)
        if self._claims.holds(identity):
            return True
        holder = self._claims.take(identity)
        if holder is not None:
            self._holder = holder
            return False
        left = self._left_in([self._nodes[identity]])
        if list(left.tasks) != self._expected[identity]:
            self._claims.release([identity])
            return False
        return True

    def _keep(self, task: Task, outcome: Outcome, run_id: int) -> None:
        training = outcome.training
        if training is not None:
            self.store.add_training(training, run_id)
            # A known training that was repeated gains what it lacked.
            self.store.add_artifacts(training.identity, training.artifacts)
            self.store.add_curve(training.identity, training.curve)
            self._trained += 1
        if outcome.evaluations:
            self.store.add_evaluations(outcome.evaluations, run_id)
            self._evaluated += len(outcome.evaluations)
        if outcome.analyses:
            self.store.add_analyses(outcome.analyses, run_id)
            self._analysed += len(outcome.analyses)
        for failure in outcome.failures:
            self.store.add_failure(failure, run_id)
            self.failures.append(failure)
        for text in outcome.notes:
            self.store.add_note(note(task, text), run_id)
        self._skipped += outcome.skipped
        self.listener.finished(task, outcome)
        self._notify("after_task", task=task, outcome=outcome)

    def started(self, task: Task) -> None:
        """The executor begins a task."""
        self.listener.started(task)
        self._notify("before_task", task=task)

    def advanced(self, task: Task, share: float) -> None:
        """The executor tells the finished share of a running task."""
        self.listener.advanced(task, share)

    def _notify(self, event: str, **values: Any) -> None:
        try:
            getattr(self.plugins.manager.hook, f"hfcbench_{event}")(**values)
        except HfcbenchError:
            raise
        except Exception as error:
            raise PluginError(
                f"an observer of '{event}' failed: {type(error).__name__}: {error}; "
                "everything finished before it is stored"
            ) from error

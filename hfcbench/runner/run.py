"""Running a plan: tasks to the executor, outcomes to the store, one commit per finished node."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from hfcbench.errors import HfcbenchError, PluginError
from hfcbench.plugins import Plugins
from hfcbench.results.records import FailureRecord
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.executor import Executor, Listener
from hfcbench.runner.plan import Plan, Remaining
from hfcbench.runner.provenance import describe_run
from hfcbench.runner.recording import score
from hfcbench.runner.tasks import Outcome, RunSummary, Task
from hfcbench.runner.worker import TaskWorker

if TYPE_CHECKING:
    from hfcbench.results.store import Store


class RunListener(Listener, Protocol):
    """Follows a run; the progress display is one."""

    def finished(self, task: Task, outcome: Outcome) -> None:
        """The task's outcome is in the database."""


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
    failures: list[FailureRecord] = field(default_factory=list)
    _trained: int = 0
    _evaluated: int = 0
    _skipped: int = 0

    def __call__(self) -> RunSummary:
        """Do what remains.

        An interrupt ends the run in order: what was finished is stored, and the summary says so.

        Raises:
            StoreError: results cannot be written.
            PluginError: an observer failed.
        """
        start = time.perf_counter()
        run_id = self.store.begin_run(
            describe_run(self.plan.suite, self.worker.device, self.plugins.loaded)
        )
        status = "aborted"
        try:
            self._notify("before_run", plan=self.plan)
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
        )
        self._notify("after_run", plan=self.plan, summary=summary)
        return summary

    def _outcomes(self, run_id: int) -> Iterator[tuple[Task, Outcome]]:
        datasets = {node.training.dataset.fingerprint: node.training for node in self.plan.nodes}
        for training in datasets.values():
            self.store.add_dataset(self.datasets.record(training.dataset))
        for identity, metric in self.remaining.unscored:
            predictions = self.store.predictions(identity)
            record = score(predictions, metric, self.plugins.registry.create(metric))
            self.store.add_scores(identity, [record])
        yield from self.executor.execute(self.remaining.tasks, self.worker, self)

    def _keep(self, task: Task, outcome: Outcome, run_id: int) -> None:
        training = outcome.training
        if training is not None:
            self.store.add_training(training, run_id)
            self.store.add_curve(training.identity, training.curve)
            self._trained += 1
        if outcome.evaluations:
            self.store.add_evaluations(outcome.evaluations, run_id)
            self._evaluated += len(outcome.evaluations)
        for failure in outcome.failures:
            self.store.add_failure(failure, run_id)
            self.failures.append(failure)
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

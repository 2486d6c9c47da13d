"""What the user sees while a plan runs: a live display on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hfcbench.runner.tasks import AnalysisTask, EvaluationTask, Outcome, Task, TrainingTask

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def work(task: Task) -> float:
    """How much there is to do in a task, in image passes; only ever compared within a kind."""
    if isinstance(task, TrainingTask):
        specification = task.specification
        images = specification.samples or specification.dataset.train_size
        # A detector that is trained already may come without training pictures.
        return float(max(1, specification.schedule.epochs) * max(1, images))
    images = task.training.dataset.test_size
    nodes = task.evaluations if isinstance(task, EvaluationTask) else task.analyses
    return float(sum(node.samples or images for node in nodes))


class TimeLeft:
    """Estimates the time left from the tasks that have run, per kind of task."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._total = dict.fromkeys((TrainingTask, EvaluationTask, AnalysisTask), 0.0)
        self._done = dict(self._total)
        self._seconds = dict(self._total)
        for task in tasks:
            self._total[type(task)] += work(task)

    def add(self, task: Task, seconds: float) -> None:
        """A task took that long."""
        self._done[type(task)] += work(task)
        self._seconds[type(task)] += seconds

    def seconds(
        self, running: Task | None = None, share: float = 0.0, elapsed: float = 0.0
    ) -> float | None:
        """Seconds left; None until something of every kind that is still to come has run.

        Args:
            running: a task that is not finished yet.
            share: how much of it is, in [0,1].
            elapsed: seconds since it started.
        """
        left = 0.0
        for kind, total in self._total.items():
            done, seconds = self._done[kind], self._seconds[kind]
            if running is not None and isinstance(running, kind):
                done, seconds = done + share * work(running), seconds + elapsed
            if total <= done:
                continue
            if not done:
                return None
            left += (total - done) * seconds / done
        return left


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class ProgressDisplay:
    """Follows a run on a console; a context manager, so that the display ends with the run."""

    def __init__(self, tasks: Sequence[Task], console: Console) -> None:
        self._tasks = tasks
        self._console = console
        self._time_left = TimeLeft(tasks)
        self._finished = 0
        self._started_at: dict[int, float] = {}
        self._bar = _bar(console) if console.is_terminal else None
        self._bar_task = (
            None if self._bar is None else self._bar.add_task("", total=len(tasks), left="")
        )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, task: Task) -> None:
        self._started_at[id(task)] = time.perf_counter()
        self._show(task, 0.0)

    def advanced(self, task: Task, share: float) -> None:
        self._show(task, share)

    def finished(self, task: Task, outcome: Outcome) -> None:
        self._finished += 1
        seconds = time.perf_counter() - self._started_at.pop(id(task), time.perf_counter())
        self._time_left.add(task, seconds)
        verdict = "skipped" if outcome.skipped else "FAILED" if outcome.failures else "done"
        line = (
            f"[{self._finished}/{len(self._tasks)}] {task.label}: {verdict} in {duration(seconds)}"
        )
        if self._bar is None:
            left = self._time_left.seconds()
            line += f", {duration(left)} left" if left else ""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        for text in (*outcome.notes, *(failure.error for failure in outcome.failures[:1])):
            self._console.print(f"    {text}", markup=False, highlight=False)
        self._show(task, 0.0)

    def waiting(self, host: str) -> None:
        self._console.print(
            f"waiting for a process on {host}, which does the rest", markup=False, highlight=False
        )

    def _show(self, task: Task, share: float) -> None:
        if self._bar is None or self._bar_task is None:
            return
        elapsed = time.perf_counter() - self._started_at.get(id(task), time.perf_counter())
        left = self._time_left.seconds(task if share else None, share, elapsed)
        self._bar.update(
            self._bar_task,
            completed=self._finished + share,
            description=task.label,
            left="" if left is None else f"about {duration(left)} left",
        )


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True), markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        expand=True,
    )

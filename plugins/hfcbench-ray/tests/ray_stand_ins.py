"""What tests share: a tiny suite, and made tasks with workers that nodes can import."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hfcbench.references import Reference
from hfcbench.results.records import CHECKPOINT, ArtifactRecord, EvaluationRecord, TrainingRecord
from hfcbench.runner.recording import Started, evaluation_record
from hfcbench.runner.specification import (
    ORIGINAL,
    DatasetKey,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.tasks import CurvePlan, EvaluationTask, Outcome, Task, TrainingTask
from hfcbench.types import ImageShape, Schedule

SUITE = """\
title: Tiny
datasets: ["planted-band(size=16, train_per_class=60, test_per_class=20)"]
schedule: {epochs: 25, batch_size: 20, learning_rate: 0.002}
curves: {components: [original, lfc@4], samples: 50}
components: [original, lfc@4]
attacks: ["pgd(steps=3, random_start=true)"]
epsilons: [0.03]
blocks:
  - models: [lenet5]
    heuristics: [vanilla, label-shuffling]
"""
# What differs between two runs of the same work.
_OF_THE_RUN = ("started_at", "duration_seconds", "curve_seconds", "run_id")

_DATASET = DatasetKey(
    *("made", "made", "1", "content", ImageShape(3, 8, 8), 2, 10, 10),
    Reference("dataset", "made", "1"),
)


def made_tasks(trainings: int) -> list[Task]:
    """So many trainings, each followed by an evaluation of it."""
    tasks: list[Task] = []
    for seed in range(trainings):
        training = TrainingSpecification(
            _DATASET, ORIGINAL, Reference("model", "made", "1", label="made"), (), Schedule(), seed
        )
        evaluation = EvaluationSpecification(training, ORIGINAL)
        tasks += [
            TrainingTask(training, CurvePlan()),
            EvaluationTask(training, (evaluation,), ()),
        ]
    return tasks


def made_training(specification: TrainingSpecification) -> TrainingRecord:
    """As if it had been trained."""
    return TrainingRecord(
        identity=specification.identity,
        specification=specification.canonical,
        dataset_fingerprint="content",
        dataset_name="made",
        model="made",
        heuristics="vanilla",
        trained_on="original",
        rescaling=None,
        seed=specification.seed,
        epochs=1,
        parameter_count=1,
        device="cpu",
        started_at=datetime.now(UTC),
        duration_seconds=0.0,
        checkpoint=ArtifactRecord(CHECKPOINT, f"{specification.identity}.safetensors", "0" * 64, 1),
        curve=(),
    )


def made_evaluation(specification: EvaluationSpecification) -> EvaluationRecord:
    """As if it had been evaluated, on no images."""
    # What CellResult has, without the torch that its module imports.
    nothing = SimpleNamespace(predictions=None, checks=())
    return evaluation_record(specification, nothing, (), Started("cpu"), 0.0, None)


@dataclass(frozen=True)
class Empty:
    """Does nothing, successfully, in a time of ``seconds``."""

    seconds: float = 0.0

    def run(self, task, advance):
        time.sleep(self.seconds)
        advance(1.0)
        if isinstance(task, TrainingTask):
            return Outcome(training=made_training(task.specification))
        return Outcome(evaluations=[made_evaluation(node) for node in task.evaluations])


@dataclass(frozen=True)
class Dies(Empty):
    """Ends its process in trainings of seed 0, after noting it in a folder: the first ``times``."""

    folder: Path = Path()
    times: int = 0

    def run(self, task, advance):
        if isinstance(task, TrainingTask) and task.specification.seed == 0:
            so_far = len(list(self.folder.iterdir()))
            if so_far < self.times:
                (self.folder / str(so_far)).touch()
                os._exit(1)
        return super().run(task, advance)


@dataclass(frozen=True)
class Raises(Empty):
    """Breaks the contract of workers, which never raise."""

    def run(self, task, advance):
        raise LookupError("nothing here")


class Listens:
    """A listener that allows everything but ``held``, and remembers what it is told."""

    def __init__(self, held: frozenset[str] = frozenset()) -> None:
        self.held = held
        self.events: list[tuple[str, str]] = []

    def claim(self, task):
        self.events.append(("claim", task.label))
        return (
            getattr(task, "needs", None) not in self.held and task_identity(task) not in self.held
        )

    def started(self, task):
        self.events.append(("started", task.label))

    def advanced(self, task, share):
        assert 0 <= share <= 1
        self.events.append(("advanced", task.label))


def task_identity(task: Task) -> str:
    """The identity of the training that a task is or needs."""
    return task.identity if isinstance(task, TrainingTask) else task.needs


def content(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of results, without numbering and times, and every checkpoint."""
    connection = sqlite3.connect(folder / "results.db")
    assert connection.execute("pragma foreign_key_check").fetchall() == []
    tables = [
        name
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        if name not in ("runs", "run_plugins", "plugins", "alembic_version")
    ]
    found = {}
    for table in tables:
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        kept = [c for c in columns if c not in _OF_THE_RUN and not c.endswith("_id")]
        rows = connection.execute(f"select {', '.join(kept)} from {table}").fetchall()
        found[table] = sorted(rows, key=repr)
    connection.close()
    found["files"] = sorted(
        (path.name, path.read_bytes())
        for path in (folder / "checkpoints").rglob("*")
        if path.is_file()
    )
    return found

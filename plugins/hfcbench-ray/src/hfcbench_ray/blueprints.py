"""What is sent to nodes so that they can work as the driving process would."""

from __future__ import annotations

import os
import socket
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from hfcbench.detection_types import Detections
from hfcbench.errors import DataError, PluginError
from hfcbench.plugins import load_plugins
from hfcbench.runner.artifacts import checkpoint_path
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.executor import Advance, Worker
from hfcbench.runner.tasks import Outcome, Task, TrainingTask
from hfcbench.runner.worker import TaskWorker
from hfcbench.types import DataLocation
from hfcbench_ray.versions import Versions


@dataclass(frozen=True)
class Done:
    """What comes back from a node: an outcome, and the files of a training by their paths."""

    outcome: Outcome
    files: Mapping[str, bytes] = field(default_factory=dict)


class Workplace(Protocol):
    """A process on a node, ready to work."""

    def carry_out(self, task: Task, checkpoint: bytes | None, advance: Advance) -> Done:
        """Run one task; ``checkpoint`` is that of the training it needs, where it is sent."""


class Blueprint(Protocol):
    """Plain values that a workplace is made from; hashable, so that a process makes it once."""

    def __hash__(self) -> int: ...

    def build(self) -> Workplace:
        """The workplace.

        Raises:
            HfcbenchError: this node cannot do the work.
        """


@dataclass(frozen=True)
class AsGiven:
    """A worker that can be sent as it is."""

    worker: Worker

    def build(self) -> Workplace:
        return self

    def carry_out(self, task: Task, checkpoint: bytes | None, advance: Advance) -> Done:
        return Done(self.worker.run(task, advance))


@dataclass(frozen=True)
class TaskWorkerBlueprint:
    """What makes a node's own :class:`TaskWorker`, with the same plugins and data.

    Attributes:
        threads: how many compute, whatever else runs on the node.
        folder: the driver's working folder, from which relative paths lead; nodes that lack it
            stay where they are.
        artifacts: the folder that all nodes share; None where files are sent.
        token: a file in it that the driver wrote.
    """

    versions: Versions
    location: DataLocation
    cache_root: Path
    device: str
    threads: int
    folder: Path
    artifacts: Path | None = None
    token: str | None = None

    def build(self) -> Workplace:
        """The workplace.

        Raises:
            PluginError: other versions, or other plugins.
            DataError: the artifacts folder is not the driver's.
        """
        plugins = load_plugins()
        differences = self.versions.differences(plugins)
        if differences:
            raise PluginError(
                f"node {socket.gethostname()} would compute with other software than the process "
                f"that drives the run: {'; '.join(differences)}",
                hint="install the same versions of hfcbench and its plugins on every node, "
                "in the environment that Ray was started from",
            )
        if self.artifacts is not None and self.token is not None:
            _check_shared(self.artifacts, self.token)
        if self.folder.is_dir():
            os.chdir(self.folder)
        import torch

        torch.set_num_threads(self.threads)
        datasets = DatasetAccess(plugins.registry, self.location, self.cache_root)
        worker = TaskWorker(plugins.registry, datasets, self.artifacts or Path(), self.device)
        return SharedFolder(worker) if self.artifacts is not None else SentFiles(worker)


@dataclass(frozen=True)
class SharedFolder:
    """Checkpoints lie where all nodes see them."""

    worker: TaskWorker

    def carry_out(self, task: Task, checkpoint: bytes | None, advance: Advance) -> Done:
        return Done(_run(self.worker, task, advance))


@dataclass(frozen=True)
class SentFiles:
    """Checkpoints come with the task that needs them, and leave with the training's outcome."""

    worker: TaskWorker

    def carry_out(self, task: Task, checkpoint: bytes | None, advance: Advance) -> Done:
        with tempfile.TemporaryDirectory(prefix="hfcbench-") as name:
            folder = Path(name)
            if checkpoint is not None and not isinstance(task, TrainingTask):
                path = folder / checkpoint_path(task.needs)
                path.parent.mkdir(parents=True)
                path.write_bytes(checkpoint)
            outcome = _run(replace(self.worker, artifacts=folder), task, advance)
            files = () if outcome.training is None else outcome.training.artifacts
            sent = {file.path: (folder / file.path).read_bytes() for file in files}
        return Done(outcome, sent)


def _run(worker: TaskWorker, task: Task, advance: Advance) -> Outcome:
    import torch

    outcome = worker.run(task, advance)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        # The process waits for its next task; others may need the GPU's memory meanwhile.
        torch.cuda.empty_cache()
    return sendable(outcome)


def sendable(outcome: Outcome) -> Outcome:
    """The outcome without what metrics keep beside detections for each other."""
    records = [
        replace(record, predictions=replace(record.predictions, cache={}))
        if isinstance(record.predictions, Detections)
        else record
        for record in outcome.evaluations
    ]
    return replace(outcome, evaluations=records)


def _check_shared(artifacts: Path, token: str) -> None:
    """Raise DataError unless the folder is the one that the driver wrote the token into."""
    probe = artifacts / f"{token}.{uuid.uuid4().hex}"
    try:
        (artifacts / token).stat()
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"node {socket.gethostname()} does not share the folder {artifacts} for checkpoints "
            f"with the process that drives the run, or cannot write to it: {error.strerror}",
            hint="name a folder on a file system that all nodes see with --artifacts, "
            "or use --executor 'ray(checkpoints=object-store)'",
        ) from error

"""The artifacts folder of the driver: shared with all nodes, or filled with what they send."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psutil
import ray

from hfcbench.errors import DataError, NodeError
from hfcbench.results.records import TrainingRecord
from hfcbench.runner.artifacts import checkpoint_path


class Checkpoints(Protocol):
    """How checkpoints come from nodes and get to them."""

    def reference(self, identity: str) -> Any:
        """What the tasks that need a training's checkpoint are sent; None if nothing."""

    def keep(self, training: TrainingRecord, files: Mapping[str, bytes]) -> None:
        """Keep the files of a finished training.

        Raises:
            NodeError: they are damaged, or cannot be written.
        """

    def release(self, identity: str) -> None:
        """No task needs the training's checkpoint any more."""


class InSharedFolder:
    """Nodes write and read the files themselves."""

    def reference(self, identity: str) -> None:
        return None

    def keep(self, training: TrainingRecord, files: Mapping[str, bytes]) -> None:
        pass

    def release(self, identity: str) -> None:
        pass


class ThroughObjectStore:
    """The driver writes the files, and sends each to the nodes that need it once.

    It owns what it sends, so that a lost node takes no checkpoint with it.
    """

    def __init__(self, artifacts: Path) -> None:
        self._artifacts = artifacts
        self._sent: dict[str, Any] = {}

    def reference(self, identity: str) -> Any:
        if identity not in self._sent:
            try:
                content = (self._artifacts / checkpoint_path(identity)).read_bytes()
            except OSError:
                # The node will not find it either, and says so in the failure of the task.
                return None
            self._sent[identity] = ray.put(content)
        return self._sent[identity]

    def keep(self, training: TrainingRecord, files: Mapping[str, bytes]) -> None:
        from hfcbench.training.files import write_file

        for artifact in training.artifacts:
            content = files[artifact.path]
            path = self._artifacts / artifact.path
            if hashlib.sha256(content).hexdigest() != artifact.sha256:
                raise NodeError(f"the {artifact.kind} {path} was damaged on its way from its node")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, content)
            except OSError as error:
                raise NodeError(
                    f"the {artifact.kind} {path} cannot be written: {error.strerror}"
                ) from error

    def release(self, identity: str) -> None:
        self._sent.pop(identity, None)


@contextmanager
def token_in(artifacts: Path) -> Iterator[str]:
    """The name of a file in the folder by which nodes know it, while it lasts.

    Raises:
        DataError: it cannot be written.
    """
    host = f".shared-{socket.gethostname()}"
    path = artifacts / f"{host}-{os.getpid()}-{uuid.uuid4().hex}"
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        for old in artifacts.glob(f"{host}-*-*"):
            process = old.name.removeprefix(host).split("-")[1]
            # A driver that was killed could not remove its own.
            if process.isdigit() and not psutil.pid_exists(int(process)):
                old.unlink(missing_ok=True)
        path.touch(exist_ok=False)
    except OSError as error:
        raise DataError(f"{artifacts} cannot be written to: {error.strerror}") from error
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)

"""The executor: a plan's tasks on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from hfcbench.errors import PluginError, SpecificationError
from hfcbench.runner.executor import Listener, Place, Worker
from hfcbench.runner.tasks import Outcome, Task
from hfcbench.runner.worker import TaskWorker

if TYPE_CHECKING:
    from hfcbench_ray.blueprints import Blueprint
    from hfcbench_ray.checkpoints import Checkpoints


@dataclass(frozen=True)
class RayExecutor:
    """Run tasks on a Ray cluster, or on one that is started on this machine.

    Attributes:
        address: ``auto`` or ``HOST:PORT`` of a cluster; None starts one here.
        cpus: what each task takes of a node; also its number of threads.
        gpus: likewise, a share of one GPU; None is one where the device of the run is CUDA.
        checkpoints: ``shared`` where all nodes see the artifacts folder, otherwise
            ``object-store``.
        retries: how often a task is run again after its worker or node was lost.
        wait_seconds: how long there may be no node that has what a task takes.
    """

    address: str | None = None
    cpus: Annotated[float, Gt(0)] = 1
    gpus: Annotated[float, Ge(0), Le(1)] | None = None
    checkpoints: Literal["shared", "object-store"] = "shared"
    retries: Annotated[int, Ge(0)] = 2
    wait_seconds: Annotated[float, Ge(0)] = 60

    def __post_init__(self) -> None:
        if self.address is not None and "://" in self.address:
            raise SpecificationError(
                f"executor 'ray': '{self.address}' is no address of a cluster's head",
                hint="start the run on one of the cluster's machines, with address=auto",
            )

    def execute(
        self, tasks: Sequence[Task], worker: Worker, listener: Listener
    ) -> Iterator[tuple[Task, Outcome]]:
        """As :class:`hfcbench.runner.executor.Executor` says; the tasks run on the cluster.

        Raises:
            UsageError: there is no such cluster.
            NodeError: no node of it has what a task takes.
            PluginError: a node has other versions, or lacks a plugin.
            DataError: the artifacts folder is to be shared and is not.
        """
        self._set_up()
        from hfcbench_ray.cluster import Need, Room, connected
        from hfcbench_ray.dispatch import Dispatch
        from hfcbench_ray.flights import Flights

        device = worker.device if isinstance(worker, TaskWorker) else "cpu"
        need = Need(self.cpus, self._gpus(device))
        with ExitStack() as opened:
            opened.enter_context(connected(self.address))
            room = Room(need, self.wait_seconds)
            room.wait()
            blueprint, checkpoints = self._blueprint(worker, opened)
            flights = Flights(tasks, blueprint, need, self.retries)
            flights.check_nodes()
            yield from Dispatch(tasks, listener, flights, checkpoints, room).outcomes()

    def place(self, device: str) -> Place:
        """Where tasks compute: on a share of a node, not on the device of the driving process."""
        gpus = self._gpus(device)
        share = f"{gpus:g} GPU, " if gpus else ""
        threads = f"{self._threads} thread{'s' * (self._threads > 1)}"
        return Place(self._device(device), f"Ray cluster, {share}{threads} for each task")

    @property
    def _threads(self) -> int:
        return max(1, int(self.cpus))

    def _device(self, device: str) -> str:
        # Ray shows a task the GPU that is its own and no other.
        return "cuda" if self._gpus(device) else "mps" if device == "mps" else "cpu"

    def _set_up(self) -> None:
        if find_spec("ray") is None:
            raise PluginError("executor 'ray' needs Ray", hint="pip install ray")
        # Ray reads these when it is imported.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if self.address is not None:
            # Something that listens there and is no head is asked for a minute, not for five.
            os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "2")
        else:
            # Whatever the name says: nothing of a cluster on one machine listens to others.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")

    def _gpus(self, device: str) -> float:
        if self.gpus is None:
            return 1.0 if device.startswith("cuda") else 0.0
        return self.gpus

    def _blueprint(self, worker: Worker, opened: ExitStack) -> tuple[Blueprint, Checkpoints]:
        from hfcbench_ray.blueprints import AsGiven, TaskWorkerBlueprint
        from hfcbench_ray.checkpoints import InSharedFolder, ThroughObjectStore, token_in
        from hfcbench_ray.versions import Versions

        if not isinstance(worker, TaskWorker):
            return AsGiven(worker), InSharedFolder()
        artifacts = worker.artifacts.absolute()
        shared = self.checkpoints == "shared"
        blueprint = TaskWorkerBlueprint(
            versions=Versions.here(worker.registry),
            location=worker.datasets.location,
            cache_root=worker.datasets.cache_root.absolute(),
            device=self._device(worker.device),
            threads=self._threads,
            folder=Path.cwd(),
            artifacts=artifacts if shared else None,
            token=opened.enter_context(token_in(artifacts)) if shared else None,
        )
        return blueprint, InSharedFolder() if shared else ThroughObjectStore(artifacts)

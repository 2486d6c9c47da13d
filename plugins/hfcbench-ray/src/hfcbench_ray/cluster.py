"""A connection to a Ray cluster, and what its nodes have to offer."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import ray

from hfcbench.errors import NodeError, UsageError

_LOOK_SECONDS = 1.0
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Need:
    """What one task asks of a node."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        return f"{self.cpus:g} CPU" + (f" and {self.gpus:g} GPU" if self.gpus else "")


@dataclass(frozen=True)
class RayNode:
    """A node that is alive, with all that it has, free or not."""

    node_id: str
    address: str
    cpus: float
    gpus: float

    def room(self, need: Need) -> int:
        """How many tasks it can run at a time."""
        rooms = [
            int(has / wanted + 1e-6)
            for has, wanted in ((self.cpus, need.cpus), (self.gpus, need.gpus))
            if wanted
        ]
        return min(rooms)

    def __str__(self) -> str:
        return f"{self.address} ({self.cpus:g} CPU, {self.gpus:g} GPU)"


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster; without an address to one that is started on this machine.

    What was started here is shut down at the end. Where the calling process is connected to Ray
    already, that connection is used, and left.

    Raises:
        UsageError: there is no cluster at the address, or none that this version of Ray can join.
    """
    if ray.is_initialized():
        yield
        return
    try:
        if address is None:
            _start_here()
        else:
            _check_answers(address)
            _init(address=address)
        yield
    finally:
        ray.shutdown()


def alive() -> list[RayNode]:
    """The nodes of the cluster."""
    return [
        RayNode(
            node["NodeID"],
            node["NodeManagerAddress"],
            node["Resources"].get("CPU", 0.0),
            node["Resources"].get("GPU", 0.0),
        )
        for node in ray.nodes()  # type: ignore[no-untyped-call]
        if node["Alive"]
    ]


@dataclass
class Room:
    """How many tasks the cluster can run at a time, looked up again as it grows and shrinks.

    Args:
        wait_seconds: how long there may be no node for a task before this is an error; nodes that
            are busy count as there.
    """

    need: Need
    wait_seconds: float
    _tasks: int = 0
    _looked_at: float = float("-inf")
    _there_at: float = float("nan")

    def wait(self) -> None:
        """Wait until a task can run somewhere.

        Raises:
            NodeError: there is no node for it, and none has come.
        """
        self._there_at = time.monotonic()
        while not self.tasks():
            time.sleep(_LOOK_SECONDS)

    def tasks(self) -> int:
        """How many tasks there is room for.

        Raises:
            NodeError: there has been none for too long.
        """
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            nodes = alive()
            self._tasks = sum(node.room(self.need) for node in nodes)
            if self._tasks:
                self._there_at = now
            elif now - self._there_at >= self.wait_seconds:
                raise NodeError(
                    f"no node of the Ray cluster has {self.need}, which each task asks for; "
                    f"there is {', '.join(map(str, nodes)) or 'none at all'}",
                    hint="ask for less with --executor 'ray(cpus=..., gpus=...)', or add nodes; "
                    "wait_seconds says how long to wait for them",
                )
        return self._tasks


def _start_here() -> None:
    _init(address="local", include_dashboard=False)
    outside = [node.address for node in alive() if not ip_address(node.address).is_loopback]
    if outside:
        raise UsageError(
            f"Ray was imported before it could be told to listen on this machine only, and would "
            f"listen on {outside[0]}",
            hint="set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 before anything imports ray, "
            "or start a cluster with `ray start --head` and use --executor 'ray(address=auto)'",
        )


def _check_answers(address: str) -> None:
    """Raise UsageError if nobody listens at the address; Ray itself would try for minutes."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS") or address
    host, _, port = address.rpartition(":")
    if address == "auto" or not port.isdigit():
        # Ray looks for it itself, or says what is wrong with it.
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(f"nothing answers at {address} ({error})") from error


def _init(**arguments: Any) -> None:
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **arguments)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise _no_cluster(str(error).strip()) from error


def _no_cluster(reason: str) -> UsageError:
    return UsageError(
        f"there is no Ray cluster to work on: {reason}",
        hint="start one with `ray start --head`, name the address of one that runs, "
        "or leave the address out to start one on this machine",
    )

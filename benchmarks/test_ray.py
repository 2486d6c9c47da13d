"""Scheduling 10,000 empty nodes on a Ray cluster of this machine, with one processor.

Goal: less than 20 ms for each node, beside the least that Ray takes: as many bare tasks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

NODES = 10_000
GOAL_SECONDS = 0.020
_STAND_INS = Path(__file__).parents[1] / "plugins" / "hfcbench-ray" / "tests"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Ray reads it when it is imported: nothing listens to other machines.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(_STAND_INS), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(_STAND_INS))
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    small = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    ray.init(log_to_driver=False, **small)
    yield
    ray.shutdown()
    sys.modules.pop("ray_stand_ins", None)


@pytest.mark.long
def test_scheduling(cluster, compare, benchmark):
    import ray
    from hfcbench_ray.executor import RayExecutor
    from ray_stand_ins import Empty, Listens, made_tasks

    tasks = made_tasks(NODES // 2)

    def ours() -> int:
        return sum(1 for _ in RayExecutor().execute(tasks, Empty(), Listens()))

    nothing = ray.remote(num_cpus=1)(_nothing)

    def bare() -> int:
        return len(ray.get([nothing.remote(number) for number in range(NODES)]))

    assert benchmark.pedantic(ours, rounds=1, iterations=1) == NODES
    found = compare(
        f"scheduling {NODES:,} empty nodes on Ray",
        {"hfcbench": ours, "bare ray.remote": bare},
        rounds=1,
        goals={"hfcbench": f"{GOAL_SECONDS * NODES:g} s", "bare ray.remote": "more than 0.1"},
        scale={},
    )
    assert found.seconds["hfcbench"] < GOAL_SECONDS * NODES


def _nothing(number):
    return number

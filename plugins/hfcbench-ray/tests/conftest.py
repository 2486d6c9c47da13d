"""One cluster of two nodes on this machine, and runs of a tiny suite on it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ray_stand_ins import SUITE
from rich.console import Console

from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.runner.tasks import RunSummary
from hfcbench.types import DataLocation

# Ray reads it when it is imported: nothing of the tests' clusters listens to other machines.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")

_NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A head and one further node, each with one CPU."""
    pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    # A lost node is to be noticed within seconds.
    quick = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}
    with pytest.MonkeyPatch.context() as patch:
        # Workers are children of the nodes, and must find the stand-ins.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        made = Cluster(
            initialize_head=True,
            head_node_args={**_NODE, "include_dashboard": False, "_system_config": quick},
        )
        made.add_node(**_NODE)
        yield made
        made.shutdown()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where decoded images lie."""
    return tmp_path_factory.mktemp("cache")


Run = Callable[..., RunSummary]


@pytest.fixture
def run(tmp_path: Path, cache: Path) -> Run:
    """Run the suite into a folder of that name, with an executor and further plugins."""

    def run_suite(name: str, executor: str, suite: str = SUITE, **extra: object) -> RunSummary:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings = Settings(
            str(folder / "results.db"), DataLocation(), cache, device="cpu", executor=executor
        )
        session = Session(load_plugins(extra), settings)
        summary, _ = session.run(session.plan_text("tiny", suite), Console(file=io.StringIO()))
        return summary

    return run_suite


@pytest.fixture(scope="session")
def in_process(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """The folder of a run of the suite without Ray, on one thread as each task has."""
    folder = tmp_path_factory.mktemp("in-process")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = Settings(str(folder / "results.db"), DataLocation(), cache, device="cpu")
    session = Session(load_plugins(), settings)
    summary, _ = session.run(session.plan_text("tiny", SUITE), Console(file=io.StringIO()))
    torch.set_num_threads(threads)
    assert (summary.trained, summary.evaluated, summary.failed) == (2, 6, 0)
    return folder

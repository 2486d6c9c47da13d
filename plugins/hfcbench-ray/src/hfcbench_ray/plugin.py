"""The executor, declared to hfcbench."""

from __future__ import annotations

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.runner.executor import Executor
from hfcbench_ray.executor import RayExecutor


@hookimpl
def hfcbench_register_executors(register: Register[Executor]) -> None:
    register("ray", RayExecutor, version="1")

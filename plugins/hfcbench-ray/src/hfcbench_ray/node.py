"""What runs in Ray's processes on the nodes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ray

from hfcbench.allocator import keep_freed_memory
from hfcbench.runner.tasks import Task
from hfcbench_ray.blueprints import Blueprint, Done, Workplace
from hfcbench_ray.board import Reporter


def prepare(blueprint: Blueprint) -> None:
    """Check that this node can do the work, and make its process ready for it.

    Raises:
        HfcbenchError: it cannot.
    """
    _workplace(blueprint)


def carry_out(
    blueprint: Blueprint, number: int, task: Task, checkpoint: bytes | None, board: Any
) -> Done:
    """Run one task.

    Args:
        number: of the task, for the board.
        checkpoint: of the training that the task needs; None where it lies in a shared folder.
        board: the actor that is told of progress.

    Raises:
        HfcbenchError: this node cannot do the work, whichever task it is.
    """
    workplace = _workplace(blueprint)
    reporter = Reporter(board, number, ray.get_runtime_context().get_node_id())
    reporter.started()
    return workplace.carry_out(task, checkpoint, reporter.advanced)


@lru_cache(maxsize=1)
def _workplace(blueprint: Blueprint) -> Workplace:
    """One for each process: opened datasets stay open from task to task."""
    keep_freed_memory()
    return blueprint.build()

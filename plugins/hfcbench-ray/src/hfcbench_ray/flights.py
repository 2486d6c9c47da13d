"""Tasks on the cluster: sent, followed, sent again when their worker is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from hfcbench.errors import HfcbenchError, NodeError, PluginError
from hfcbench.runner.recording import failures
from hfcbench.runner.tasks import Outcome, Task
from hfcbench_ray.blueprints import Blueprint, Done
from hfcbench_ray.board import Board, News
from hfcbench_ray.cluster import Need, alive
from hfcbench_ray.node import carry_out, prepare

_CANCEL_SECONDS = 2.0
_NEWS_SECONDS = 5.0


@dataclass
class Flights:
    """Sends tasks to nodes; numbers stand for tasks.

    Args:
        tasks: by number.
        blueprint: what nodes make their workers from.
        need: what each task asks of a node.
        retries: how often a task is sent again after its worker or node was lost.
    """

    tasks: Sequence[Task]
    blueprint: Blueprint
    need: Need
    retries: int
    _numbers: dict[Any, int] = field(default_factory=dict)
    _sent: dict[int, tuple[Task, Any]] = field(default_factory=dict)
    _lost: Counter[int] = field(default_factory=Counter)
    _nodes: dict[int, str] = field(default_factory=dict)
    _board: Any = None
    _remote: Any = None

    def __post_init__(self) -> None:
        here = ray.get_runtime_context().get_node_id()
        self._board = (
            ray.remote(Board)
            .options(num_cpus=0, max_restarts=-1, scheduling_strategy=_on(here, soft=True))
            .remote()
        )
        # Workers stay for the next task, also those with a GPU, which by default do not.
        self._remote = ray.remote(
            num_cpus=self.need.cpus, num_gpus=self.need.gpus, max_retries=0, max_calls=0
        )(carry_out)
        self._blueprint = ray.put(self.blueprint)

    def __len__(self) -> int:
        return len(self._numbers)

    def check_nodes(self) -> None:
        """Make every node that tasks may run on ready.

        Raises:
            HfcbenchError: one of them cannot do the work.
        """
        check = ray.remote(num_cpus=0, max_retries=0)(prepare)
        nodes = [node for node in alive() if node.room(self.need)]
        answers = [
            check.options(scheduling_strategy=_on(node.node_id, soft=False)).remote(self._blueprint)
            for node in nodes
        ]
        for node, answer in zip(nodes, answers, strict=True):
            try:
                ray.get(answer)
            except RayTaskError as error:
                raise _unable(error, node.address) from error
            except RayError:
                # The node went away meanwhile, and no task will run there.
                continue

    def send(self, number: int, task: Task, checkpoint: Any) -> None:
        """Send a task, with the object that holds the checkpoint it needs, if any."""
        self._sent[number] = task, checkpoint
        self._submit(number, self._remote)

    def has(self, number: int) -> bool:
        """Whether the task is on its way."""
        return number in self._sent

    def landed(self, seconds: float) -> Iterator[tuple[int, Done]]:
        """The tasks that are through, after waiting that long for the first of them.

        Raises:
            HfcbenchError: a node cannot do the work, whichever task it is.
        """
        if not self._numbers:
            return
        references = list(self._numbers)
        ready, _ = ray.wait(references, num_returns=1, timeout=seconds)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
        for reference in ready:
            number = self._numbers.pop(reference)
            done = self._result(number, reference)
            if done is not None:
                del self._sent[number]
                yield number, done

    def news(self) -> dict[int, News]:
        """What workers told of their tasks since the last call."""
        try:
            news: dict[int, News] = ray.get(self._board.fetch.remote(), timeout=_NEWS_SECONDS)
        except (RayActorError, GetTimeoutError):
            # The board is being restarted; it holds nothing that a result depends on.
            return {}
        self._nodes.update((number, told.node) for number, told in news.items())
        return news

    def cancel(self) -> None:
        """Stop what runs, and give it a moment to tidy up."""
        references = list(self._numbers)
        self._numbers.clear()
        for reference in references:
            ray.cancel(reference)
        if references:
            ray.wait(references, num_returns=len(references), timeout=_CANCEL_SECONDS)
        ray.kill(self._board)

    def _submit(self, number: int, remote: Any) -> None:
        task, checkpoint = self._sent[number]
        reference = remote.remote(self._blueprint, number, task, checkpoint, self._board)
        self._numbers[reference] = number

    def _result(self, number: int, reference: Any) -> Done | None:
        """What came back; None if the task was sent again."""
        try:
            done: Done = ray.get(reference)
        except RayTaskError as error:
            raise _unable(error) from error
        except RayError as error:
            self._lost[number] += 1
            if self._lost[number] > self.retries:
                return Done(Outcome(failures=failures(self.tasks[number], *self._given_up(error))))
            self._submit(number, self._elsewhere(number))
            return None
        return done

    def _given_up(self, error: RayError) -> tuple[NodeError, str]:
        reason = str(error).strip()
        times = self.retries + 1
        return (
            NodeError(
                f"its worker was lost {times} time{'s' * (times > 1)} ({type(error).__name__})",
                hint="a node that fails or lacks memory, or a library that crashes, "
                "ends a worker so; the error's details hold what Ray knows",
            ),
            reason,
        )

    def _elsewhere(self, number: int) -> Any:
        """As every task is sent, but rather not to the node that the task was lost on."""
        self.news()
        lost_on = self._nodes.get(number)
        others = [node for node in alive() if node.room(self.need) and node.node_id != lost_on]
        if lost_on is None or not others:
            return self._remote
        other = others[number % len(others)]
        return self._remote.options(scheduling_strategy=_on(other.node_id, soft=True))


def _on(node_id: str, *, soft: bool) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node_id, soft=soft)


def _unable(error: RayTaskError, address: str | None = None) -> HfcbenchError:
    """What a worker raised before or after its task, which itself never raises."""
    if isinstance(error.cause, HfcbenchError):
        return error.cause
    where = "a node" if address is None else f"node {address}"
    return PluginError(
        f"{where} of the Ray cluster cannot run tasks: {type(error.cause).__name__}: {error.cause}",
        hint="hfcbench, hfcbench-ray and all plugins must be installed in the environment that "
        "Ray was started from, on every node",
    )

"""What is sent when, and what follows when workers are lost, with workers that do nothing."""

from __future__ import annotations

import time

import pytest
from hfcbench_ray.executor import RayExecutor
from ray_stand_ins import Dies, Empty, Listens, Raises, made_tasks

from hfcbench.errors import NodeError, PluginError, UsageError

pytestmark = pytest.mark.slow


@pytest.fixture
def execute(cluster):
    def run(tasks, worker, listener=None, **parameters):
        executor = RayExecutor(address=cluster.address, **parameters)
        return list(executor.execute(tasks, worker, listener or Listens()))

    return run


def in_order(tasks, ended):
    """The outcomes in the order of the tasks, each of which ended once."""
    assert len(ended) == len(tasks)
    by_task = {id(task): outcome for task, outcome in ended}
    return [by_task[id(task)] for task in tasks]


def test_every_task_runs_once_and_behind_its_training(execute):
    tasks, listener = made_tasks(15), Listens()
    ended = [task for task, _ in execute(tasks, Empty(), listener)]
    assert sorted(map(id, ended)) == sorted(map(id, tasks))
    for training, evaluation in zip(tasks[::2], tasks[1::2], strict=True):
        assert ended.index(training) < ended.index(evaluation)
    told = [label for event, label in listener.events if event == "started"]
    assert sorted(told) == sorted(task.label for task in tasks)
    for task in tasks:
        claimed, started = (listener.events.index((e, task.label)) for e in ("claim", "started"))
        assert claimed < started


def test_only_as_much_is_claimed_as_soon_runs(cluster):
    tasks, listener = made_tasks(40), Listens()
    executor = RayExecutor(address=cluster.address)
    for number, _ in enumerate(executor.execute(tasks, Empty(), listener)):
        claimed = sum(event == "claim" for event, _ in listener.events)
        # Two nodes with one CPU: twice as many on their way, and one.
        assert claimed <= number + 5


def test_a_lost_worker_is_replaced(execute, tmp_path):
    tasks = made_tasks(2)
    outcomes = in_order(tasks, execute(tasks, Dies(folder=tmp_path, times=2), retries=2))
    assert len(list(tmp_path.iterdir())) == 2
    assert outcomes[0].training is not None
    assert outcomes[1].evaluations


def test_what_always_loses_its_worker_fails_and_its_evaluation_is_skipped(execute, tmp_path):
    tasks = made_tasks(2)
    outcomes = in_order(tasks, execute(tasks, Dies(folder=tmp_path, times=9), retries=1))
    assert len(list(tmp_path.iterdir())) == 2
    (failure,) = outcomes[0].failures
    assert (failure.identity, failure.kind) == (tasks[0].identity, "training")
    assert failure.error.startswith("its worker was lost 2 times")
    assert outcomes[1].skipped
    assert outcomes[2].training is not None
    assert outcomes[3].evaluations


def test_what_another_process_works_on_is_deferred_with_all_that_needs_it(execute):
    tasks = made_tasks(2)
    listener = Listens(held=frozenset([tasks[0].identity]))
    outcomes = in_order(tasks, execute(tasks, Empty(), listener))
    assert [outcome.deferred for outcome in outcomes] == [True, True, False, False]


def test_what_nodes_tell_of_long_tasks_is_passed_on(execute):
    (training, _) = made_tasks(1)
    listener = Listens()
    execute([training], Empty(seconds=2.5), listener)
    assert ("advanced", training.label) in listener.events


def test_an_interrupt_keeps_what_is_finished_and_ends_the_rest(cluster):
    import ray

    class Interrupts(Listens):
        def started(self, task):
            super().started(task)
            if len([event for event, _ in self.events if event == "started"]) == 3:
                raise KeyboardInterrupt

    tasks = made_tasks(10)
    outcomes = RayExecutor(address=cluster.address).execute(tasks, Empty(0.2), Interrupts())
    ended = []
    with pytest.raises(KeyboardInterrupt):
        ended.extend(outcome for _, outcome in outcomes)
    assert not ray.is_initialized()


def test_a_cluster_without_the_resources_is_an_error(execute):
    with pytest.raises(
        NodeError, match=r"no node of the Ray cluster has 64 CPU and 0.5 GPU.*1 CPU"
    ):
        execute(made_tasks(1), Empty(), cpus=64, gpus=0.5, wait_seconds=0)


def test_an_error_outside_of_tasks_ends_the_run_and_says_so(execute):
    with pytest.raises(PluginError, match=r"cannot run tasks: LookupError: nothing here"):
        execute(made_tasks(1), Raises())


@pytest.mark.parametrize("from_environment", [False, True])
def test_an_address_without_a_cluster_is_an_error_within_seconds(from_environment, monkeypatch):
    if from_environment:
        monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    executor = RayExecutor(address="auto" if from_environment else "127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"no Ray cluster .* at 127.0.0.1:1 .*refused"):
        list(executor.execute(made_tasks(1), Empty(), Listens()))
    assert time.monotonic() - began < 5

"""The order in which tasks may run."""

from __future__ import annotations

from hfcbench_ray.task_queue import TaskQueue
from ray_stand_ins import made_tasks


def test_a_task_waits_for_its_training_and_then_goes_first():
    tasks = made_tasks(3)  # 0 trains, 1 needs 0; 2 trains, 3 needs 2; 4 trains, 5 needs 4
    queue = TaskQueue(tasks)
    assert [queue.take(), queue.take()] == [0, 2]
    queue.trained(tasks[2].identity)
    assert [queue.take(), queue.take(), queue.take()] == [3, 4, None]
    queue.trained(tasks[0].identity)
    assert [queue.take(), queue.take()] == [1, None]


def test_tasks_of_trainings_that_are_done_need_not_wait():
    tasks = [task for number, task in enumerate(made_tasks(2)) if number != 0]
    queue = TaskQueue(tasks)
    assert [queue.take(), queue.take(), queue.take()] == [0, 1, None]


def test_what_waits_for_a_failed_training_is_dropped():
    tasks = made_tasks(2)
    queue = TaskQueue([*tasks, tasks[1]])
    assert queue.take() == 0
    assert queue.drop(tasks[0].identity) == [1, 4]
    assert [queue.take(), queue.take()] == [2, None]

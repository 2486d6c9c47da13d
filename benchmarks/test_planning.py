"""A suite of 100,000 evaluations: planning it, and finding out that all of it is done.

Goals: less than 10 s each, beside the least that any plan needs, which is one hash of one canonical
text for each evaluation; and less than 3 kB for each evaluation, at 20,000 as at 100,000.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import finished_plan
import pytest

from hfcbench.plugins import load_plugins
from hfcbench.references import Reference
from hfcbench.results.opening import open_store
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, Remaining, make_plan, remaining
from hfcbench.runner.specification import DatasetKey, identity_of
from hfcbench.runner.suite_file import read_suite
from hfcbench.types import DataLocation, ImageShape

SEEDS = 25
GOAL_SECONDS = 10
MOST_BYTES_PER_EVALUATION = 3_000
# 80 trainings of each seed, 50 evaluations of each training.
PER_SEED = 80 * 50
SUITE = """\
title: Large
datasets: [cifar10, cifar100, fashion-mnist, photo-patches]
components: [original, lfc@4, hfc@4, lfc@8, hfc@8, lfc@12, hfc@12]
attacks: [fgsm, "pgd(steps=20)", "pgd(steps=40)"]
epsilons: [0.01, 0.02, 0.03]
attack_components: [original, lfc@8]
defences: [none, "kernel-smoothing(rho=0.5)"]
samples: {attack: 1000}
blocks:
  - models: [lenet5, alexnet, vgg11, resnet18, preact-resnet32]
    heuristics: [vanilla, mixup, batchnorm, "batch-size:16"]
"""


class KnownDatasets:
    """Answers as if every dataset were decoded."""

    location = DataLocation()

    def key(self, reference: Reference) -> DatasetKey:
        name, label = reference.name, reference.label
        content = (name, label, reference.version, f"content of {label}")
        return DatasetKey(*content, ImageShape(3, 32, 32), 10, 50_000, 10_000, reference)


@pytest.fixture(scope="module")
def plan_of() -> Callable[[int], Plan]:
    registry = load_plugins().registry

    def make(seeds: int) -> Plan:
        text = f"{SUITE}    seeds: {list(range(seeds))}\n"
        file = read_suite("large", "large.yaml", text)
        return make_plan("large", expand(file, registry, KnownDatasets()))

    return make


def test_planning(plan_of, compare, benchmark):
    plan = benchmark.pedantic(lambda: plan_of(SEEDS), rounds=1, iterations=1)
    assert plan.evaluation_count == SEEDS * PER_SEED
    found = compare(
        f"planning {plan.evaluation_count:,} evaluations",
        {"hfcbench": lambda: plan_of(SEEDS), "one hash each": lambda: hash_each(plan)},
        rounds=3,
        goals={"hfcbench": f"{GOAL_SECONDS:g} s", "one hash each": "more than 0.1"},
        scale={},
    )
    assert found.seconds["hfcbench"] < GOAL_SECONDS


def test_finding_all_done(plan_of, compare, benchmark, tmp_path):
    """Planning included: what a second call of the same command takes."""
    plan = plan_of(SEEDS)
    database, artifacts = tmp_path / "results.db", tmp_path / "checkpoints"
    finished_plan.make_finished(plan, database, artifacts)

    def resume() -> Remaining:
        with open_store(database) as store:
            return remaining(plan_of(SEEDS), store, artifacts)

    left = benchmark.pedantic(resume, rounds=1, iterations=1)
    assert (left.tasks, left.unscored) == ((), ())
    assert len(left.evaluations_done) == SEEDS * PER_SEED
    found = compare(
        f"finding {plan.evaluation_count:,} evaluations done",
        {"hfcbench": resume, "one hash each": lambda: hash_each(plan)},
        rounds=3,
        goals={"hfcbench": f"{GOAL_SECONDS:g} s", "one hash each": "more than 0.1"},
        scale={},
    )
    assert found.seconds["hfcbench"] < GOAL_SECONDS


@pytest.mark.parametrize("seeds", [SEEDS // 5, SEEDS])
def test_memory(plan_of, benchmark, seeds):
    plan_of(1)

    def peak_bytes_per_evaluation() -> float:
        tracemalloc.start()
        try:
            plan = plan_of(seeds)
            remaining(plan, None, Path())
            return tracemalloc.get_traced_memory()[1] / plan.evaluation_count
        finally:
            tracemalloc.stop()

    found = benchmark.pedantic(peak_bytes_per_evaluation, rounds=1, iterations=1)
    benchmark.extra_info["bytes_per_evaluation"] = found
    assert found < MOST_BYTES_PER_EVALUATION


def hash_each(plan: Plan) -> list[str]:
    """The canonical text of every evaluation, hashed."""
    return [identity_of(item.canonical) for node in plan.nodes for item in node.evaluations]

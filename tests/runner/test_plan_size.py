"""Planning stays fast and small as suites grow; identities stay what they were."""

from __future__ import annotations

import gc
import hashlib
import time
import tracemalloc

import pytest

from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, make_plan, remaining
from hfcbench.runner.suite_file import read_suite

MOST_BYTES_PER_EVALUATION = 3_000
SUITE = """\
title: Large
datasets: [images, "images(seed=1)"]
models: [network, "network(width=8)"]
heuristics: [vanilla, norm]
components: [original, lfc@4, hfc@4, lfc@8, hfc@8]
attacks: [push, once]
epsilons: [0.01, 0.02, 0.03]
defences: [none, shield]
blocks:
"""
PER_SEED = 2 * 2 * 2 * 2 * (5 + 2 * 3)
"""Evaluations of each seed: datasets, models, heuristics, defences, and conditions of each."""

TRAININGS_SHA256 = "979c5f8019533838cd42ab2e7d105f8b7b529e0fa588b66edaa7ee03d76ed105"
EVALUATIONS_SHA256 = "0d2346d17f502887f2c1c1d070926e7cc2b0fcb0306b67b17f1cd8a95f9c05b2"


@pytest.fixture
def plan_of(registry, datasets):
    def make(seeds: int) -> Plan:
        text = f"{SUITE}  - seeds: {list(range(seeds))}\n"
        return make_plan("large", expand(read_suite("large", "l.yaml", text), registry, datasets))

    return make


class AllDone:
    """A store in which all evaluations are done and scored, and no training is known."""

    def trainings(self, identities):
        return {}

    def evaluations_done(self, identities):
        return set(identities)

    def unscored(self, identities, metric, version):
        return set()


def seconds_of(work) -> float:
    """The least of three: other processes can only make it longer."""
    taken = []
    for _ in range(3):
        gc.collect()
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def test_eight_times_the_evaluations_take_about_eight_times_as_long(plan_of, tmp_path):
    def plan_and_compare(seeds: int) -> Plan:
        plan = plan_of(seeds)
        remaining(plan, AllDone(), tmp_path)
        return plan

    assert plan_and_compare(3).evaluation_count == 3 * PER_SEED
    small, large = (seconds_of(lambda n=n: plan_and_compare(n)) for n in (3, 24))
    # What grows with the square would take 64 times as long.
    assert large < 20 * small


def test_memory_grows_with_the_evaluations_alone(plan_of):
    plan_of(1)
    sizes = []
    for seeds in (3, 12):
        tracemalloc.start()
        try:
            plan = plan_of(seeds)
            sizes.append(tracemalloc.get_traced_memory()[1] / plan.evaluation_count)
        finally:
            tracemalloc.stop()
    assert max(sizes) < MOST_BYTES_PER_EVALUATION
    assert sizes[1] < 1.25 * sizes[0]


def test_identities_are_what_they_have_always_been(plan_of):
    """Databases hold them: a change here would make everybody's results be computed again."""
    nodes = plan_of(2).nodes
    trainings = [node.training.identity for node in nodes]
    evaluations = [item.identity for node in nodes for item in node.evaluations]
    assert (len(trainings), len(evaluations)) == (16, 2 * PER_SEED)
    assert digest(trainings) == TRAININGS_SHA256
    assert digest(evaluations) == EVALUATIONS_SHA256


def digest(identities: list[str]) -> str:
    return hashlib.sha256("\n".join(identities).encode()).hexdigest()

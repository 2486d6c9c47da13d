"""What is left of a plan, against what a store says is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from hfcbench.results.records import ArtifactRecord
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, make_plan, remaining
from hfcbench.runner.suite_file import read_suite
from hfcbench.runner.tasks import EvaluationTask, TrainingTask

SUITE = """\
title: Example
datasets: [images]
components: [original, lfc@4]
curves: {components: [original, lfc@4], samples: 50}
blocks:
  - models: [network, "network(width=8)"]
"""
CURVE_KEYS = frozenset(
    (split, component, decomposition, rescaling, 50)
    for split in ("train", "test")
    for component, decomposition, rescaling in (
        ("original", None, None),
        ("lfc@4", "fft-radial", "none"),
    )
)


@dataclass
class FakeStore:
    """Says that these trainings and evaluations are done."""

    done_trainings: dict[str, object] = field(default_factory=dict)
    done_evaluations: set[str] = field(default_factory=set)
    scores: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def trainings(self, identities):
        return {key: value for key, value in self.done_trainings.items() if key in identities}

    def evaluations_done(self, identities):
        return self.done_evaluations & set(identities)

    def unscored(self, identities, metric, version):
        done = self.done_evaluations & set(identities)
        return {key for key in done if (metric, version) not in self.scores.get(key, ())}


@pytest.fixture
def plan(registry, datasets) -> Plan:
    return make_plan("example", expand(read_suite("e", "e.yaml", SUITE), registry, datasets))


@pytest.fixture
def store(plan, tmp_path) -> FakeStore:
    """A store in which the plan's first training and its first evaluation are done."""
    node = plan.nodes[0]
    (tmp_path / "known.safetensors").write_bytes(b"weights")
    checkpoint = ArtifactRecord("checkpoint", "known.safetensors", "abc", 7)
    labels = ArtifactRecord("training-labels", "known.labels.safetensors", "def", 7)
    done = node.evaluations[0].identity
    stored = SimpleNamespace(checkpoint=checkpoint, curve_keys=CURVE_KEYS, labels=labels)
    return FakeStore(
        {node.training.identity: stored},
        {done},
        {done: {("top1", "1"), ("loss", "1")}},
    )


def kinds(tasks) -> list[type]:
    return [type(task) for task in tasks]


def test_without_a_store_everything_is_left(plan, tmp_path):
    left = remaining(plan, None, tmp_path)

    assert kinds(left.tasks) == [TrainingTask, EvaluationTask] * 2
    assert [len(task.evaluations) for task in left.tasks[1::2]] == [2, 2]


def test_done_nodes_are_left_out(plan, store, tmp_path):
    left = remaining(plan, store, tmp_path)

    assert kinds(left.tasks) == [EvaluationTask, TrainingTask, EvaluationTask]
    (missing,) = left.tasks[0].evaluations
    assert missing == plan.nodes[0].evaluations[1]
    assert left.tasks[0].checkpoint_sha256 == "abc"
    assert left.unscored == ()


def test_a_lost_checkpoint_is_trained_again_only_if_it_is_needed(plan, store, tmp_path):
    (tmp_path / "known.safetensors").unlink()

    first = remaining(plan, store, tmp_path).tasks[0]
    assert isinstance(first, TrainingTask)
    assert (first.expected_sha256, first.expected_labels_sha256) == ("abc", "def")

    store.done_evaluations = {item.identity for item in plan.nodes[0].evaluations}
    scored = {("top1", "1"), ("loss", "1")}
    store.scores = dict.fromkeys(store.done_evaluations, scored)
    assert kinds(remaining(plan, store, tmp_path).tasks) == [TrainingTask, EvaluationTask]


def test_a_missing_curve_repeats_the_training(plan, store, tmp_path):
    stored = store.done_trainings[plan.nodes[0].training.identity]
    stored.curve_keys = CURVE_KEYS - {("test", "lfc@4", "fft-radial", "none", 50)}

    left = remaining(plan, store, tmp_path)
    assert kinds(left.tasks[:2]) == [TrainingTask, EvaluationTask]
    assert left.tasks[0].expected_sha256 == "abc"


def test_a_metric_that_was_added_later_is_scored_from_predictions(plan, store, tmp_path):
    done = plan.nodes[0].evaluations[0].identity
    store.scores[done] = {("top1", "1")}

    left = remaining(plan, store, tmp_path)
    assert [(identity, metric.name) for identity, metric in left.unscored] == [(done, "loss")]

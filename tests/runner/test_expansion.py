"""Suites expand to the full matrix, every node once, every complaint with its line."""

from __future__ import annotations

import textwrap

import pytest

from hfcbench.errors import SpecificationError
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, make_plan
from hfcbench.runner.suite_file import read_suite

SUITE = """\
title: Example
datasets: [images]
components: [original, lfc@4, hfc@4]
attacks: [push, "pull(steps=3)"]
epsilons: [0.03, 0.06]
defences: [none, "shield(rho=0.5)"]
blocks:
  - models: [network, "network(width=8)"]
    heuristics: [vanilla, norm]
    seeds: [0, 1]
"""


@pytest.fixture
def plan_of(registry, datasets):
    def make(text: str) -> Plan:
        file = read_suite("example", "example.yaml", textwrap.dedent(text))
        return make_plan("example", expand(file, registry, datasets))

    return make


def test_a_block_is_the_full_matrix(plan_of):
    plan = plan_of(SUITE)

    assert len(plan.nodes) == 2 * 2 * 2
    # For each of two defences: three components, and two attacks at two epsilons.
    assert {len(node.evaluations) for node in plan.nodes} == {2 * (3 + 2 * 2)}
    assert len({node.training.identity for node in plan.nodes}) == 8
    evaluations = [item.identity for node in plan.nodes for item in node.evaluations]
    assert len(set(evaluations)) == plan.evaluation_count == 8 * 14


def test_labels_read_well(plan_of):
    node = plan_of(SUITE).nodes[-1]

    assert node.training.label == "network(width=8), norm, images, seed 1"
    assert [item.label.partition(" of ")[0] for item in node.evaluations[-2:]] == [
        "shield(rho=0.5), pull(steps=3) eps 0.03, original",
        "shield(rho=0.5), pull(steps=3) eps 0.06, original",
    ]


def test_a_training_in_two_blocks_runs_once_with_all_evaluations(plan_of):
    plan = plan_of(
        """\
        title: Shared
        datasets: [images]
        blocks:
          - models: [network]
            components: [original, lfc@4]
          - models: [network]
            components: [original, hfc@4]
            curves: {components: [hfc@4], samples: 10}
        """
    )
    (node,) = plan.nodes
    assert [item.component.label for item in node.evaluations] == ["original", "lfc@4", "hfc@4"]
    assert [component.label for component in node.curve.components] == ["original", "hfc@4"]
    assert node.curve.samples is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds: [0, 1]", "seeds: [7]"),
        ("datasets: [images]", 'datasets: ["images(seed=1)"]'),
        ("title: Example", "title: Example\nschedule: {epochs: 3}"),
        ("title: Example", "title: Example\nschedule: {precision: bfloat16}"),
        ("title: Example", "title: Example\nsamples: {train: 30}"),
        ("title: Example", "title: Example\ntrain_on: [lfc@4]"),
        ("title: Example", "title: Example\ntrain_on: [lfc@4]\nrescaling: max"),
        ("heuristics: [vanilla, norm]", "heuristics: [[norm, norm]]"),
    ],
)
def test_whatever_decides_a_training_is_in_its_identity(plan_of, old, new):
    before = {node.training.identity for node in plan_of(SUITE).nodes}
    after = {node.training.identity for node in plan_of(SUITE.replace(old, new)).nodes}
    assert after
    assert not before & after


@pytest.mark.parametrize(
    "change",
    [
        ("title: Example", "title: Another name\ndescription: and text"),
        ("title: Example", "title: Example\ncurves: {components: [lfc@4]}"),
        ("title: Example", "title: Example\nmetrics: [top1]"),
        # The only precision once: what was computed then is not computed again.
        ("title: Example", "title: Example\nschedule: {precision: float32}"),
        ("[network, ", "[{network: {width: 16}}, "),
    ],
)
def test_whatever_does_not_decide_a_result_is_not(plan_of, change):
    def identities(plan: Plan) -> list[str]:
        return [item.identity for node in plan.nodes for item in node.evaluations]

    assert identities(plan_of(SUITE)) == identities(plan_of(SUITE.replace(*change)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[network, ", "[netwrok, ", "example.yaml:8: there is no model 'netwrok'; did you mean"),
        ("width=8", "width=0", "example.yaml:8: model 'network': parameter 'width': Input should"),
        ("width=8", "depth=8", "example.yaml:8: model 'network' has no parameter 'depth'"),
        ("lfc@4", "lfc@99", "example.yaml:3: 'lfc@99': radius 99.0 exceeds 3x32x32"),
        ("lfc@4", "lfc@x", "example.yaml:3: 'lfc@x': the radius must be a number"),
        ("lfc@4", "mid@4", "example.yaml:3: 'mid@4' is no component; with fft-radial it is"),
        ("epsilons: [0.03, 0.06]", "epsilons: []", "example.yaml:4: attacks need epsilons"),
        ("vanilla, norm", "drop", "example.yaml:8: network has no fully connected layer"),
        ("title: Example", "title: E\nsamples: {test: 101}", "example.yaml:2: 101 images are ask"),
        ("- models: [network, ", "- train_on: [original] #", "the key 'models' is missing"),
    ],
)
def test_what_cannot_run_is_named_with_its_line(plan_of, old, new, message):
    with pytest.raises(SpecificationError) as raised:
        plan_of(SUITE.replace(old, new))
    assert message in str(raised.value)

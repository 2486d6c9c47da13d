"""Which searches a suite asks for, and which epsilons it may name."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections import Counter

import pytest

from hfcbench.attack_types import Search
from hfcbench.errors import SpecificationError
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, make_plan
from hfcbench.runner.specification import EvaluationSpecification
from hfcbench.runner.suite_file import read_suite

SUITE = """\
title: Attacked
datasets: [images]
components: [original]
attacks: [push]
epsilons: [0.06, 0.03]
blocks:
  - models: [network]
    defences: [none, shield]
"""


@pytest.fixture
def plan_of(registry, datasets):
    def make(text: str, *overrides) -> Plan:
        file = read_suite("example", "example.yaml", textwrap.dedent(text), overrides)
        return make_plan("example", expand(file, registry, datasets))

    return make


@pytest.fixture
def searches(plan_of):
    """(defence, epsilon, component, search) of what is attacked."""

    def found(text: str, *overrides) -> Counter[tuple]:
        (node,) = plan_of(text, *overrides).nodes
        return Counter(
            (item.defence and item.defence.name, item.epsilon, item.component.label, item.search)
            for item in node.evaluations
            if item.attack is not None
        )

    return found


def test_by_default_an_attack_climbs_a_ladder_and_knows_the_defence(searches):
    assert searches(SUITE) == Counter(
        (defence, *rung)
        for defence in (None, "shield")
        for rung in (
            (0.03, "original", Search("worst-case")),
            (0.06, "original", Search("worst-case", smaller_epsilons=(0.03,))),
        )
    )


def test_modes_are_of_defended_models(searches):
    found = searches(SUITE + "attack_modes: [oblivious, transfer]\n")
    undefended = {key: count for key, count in found.items() if key[0] is None}
    assert {key[3].mode for key in undefended} == {"adaptive"}
    assert len(undefended) == 2
    defended = {key[1:] for key in found if key[0] is not None}
    # Images for another model take every step: a search would end where its own is wrong.
    assert defended == {
        (0.03, "original", Search("worst-case", "oblivious")),
        (0.06, "original", Search("worst-case", "oblivious", smaller_epsilons=(0.03,))),
        (0.03, "original", Search("full", "transfer")),
        (0.06, "original", Search("full", "transfer")),
    }


def test_what_is_cut_out_of_an_image_was_not_what_was_searched_for(searches):
    text = SUITE + "attack_components: [original, lfc@4]\n"
    criteria = {(key[2], key[3].criterion) for key in searches(text)}
    assert criteria == {("original", "worst-case"), ("lfc@4", "full")}


@pytest.mark.parametrize("mode", ["adaptive", "transfer", "oblivious"])
def test_an_exact_attack_is_exact_in_any_mode_and_precision(searches, mode):
    text = SUITE.replace("[push]", "[once]") + (
        f"attack_modes: [{mode}]\nattack_precision: bfloat16\nattack_components: [lfc@4]\n"
    )
    found = {key[3] for key in searches(text) if key[0] is not None}
    assert found == {Search("exact", mode)}


def test_criterion_and_precision_can_be_chosen(searches):
    found = searches(SUITE + "criterion: full\nattack_precision: bfloat16\n")
    assert {key[3] for key in found} == {Search("full", "adaptive", "bfloat16")}
    found = searches(SUITE, (("attack_precision",), "bfloat16"))
    assert {key[3].precision for key in found} == {"bfloat16"}


def test_epsilons_and_modes_that_are_named_twice_are_searched_once(searches):
    twice = SUITE.replace("[0.06, 0.03]", "[0.06, 0.03, 0.06, 0.03]")
    assert searches(twice) == searches(SUITE)
    modes = "attack_modes: [transfer, transfer]\n"
    assert searches(SUITE + modes) == searches(SUITE + modes.replace("transfer, ", ""))


def identities(plan: Plan) -> dict[str, EvaluationSpecification]:
    return {item.identity: item for node in plan.nodes for item in node.evaluations}


def test_every_search_has_an_identity_of_its_own(plan_of):
    changes = (
        "",
        "criterion: full\n",
        "attack_precision: bfloat16\n",
        "attack_modes: [transfer]\n",
        "attack_modes: [oblivious]\n",
    )
    found = [identities(plan_of(SUITE + change)) for change in changes]
    everything = {identity: item for one in found for identity, item in one.items()}
    assert len({(item.defence, item.epsilon, item.search) for item in everything.values()}) == len(
        everything
    )
    # The larger epsilon alone is another search than after the smaller one; the smaller is not.
    larger = identities(plan_of(SUITE.replace("[0.06, 0.03]", "[0.06]")))
    assert {item.epsilon for key, item in larger.items() if key in found[0]} == {None}
    smaller = identities(plan_of(SUITE.replace("[0.06, 0.03]", "[0.03]")))
    assert smaller.keys() < found[0].keys()


def test_identities_are_hashes_of_what_was_asked_for(plan_of):
    """Written out by hand, as they must stay: clean ones know of no search."""
    (node,) = plan_of(SUITE.replace("[0.06, 0.03]", "[0.06]")).nodes
    shield = {"name": "shield", "version": "1", "parameters": {"rho": 1.0}}
    push = {"name": "push", "version": "1", "parameters": {"steps": 1, "norm": "linf"}}
    search = {
        "criterion": "worst-case",
        "mode": "adaptive",
        "precision": "float32",
        "smaller_epsilons": [],
    }
    expected = []
    for defence in (None, shield):
        for attack in (None, push):
            content = {
                "kind": "evaluation",
                "procedure": "1",
                "training": node.training.identity,
                "component": {"part": "original"},
                "defence": defence,
                "attack": attack,
                "epsilon": None if attack is None else 0.06,
                "split": "test",
                "samples": None,
                **({} if attack is None else {"search": search}),
            }
            text = json.dumps(content, sort_keys=True, separators=(",", ":"))
            expected.append(hashlib.sha256(text.encode()).hexdigest())
    assert [item.identity for item in node.evaluations] == expected


def test_labels_say_what_an_attack_does_not_know(plan_of):
    plan = plan_of(SUITE + "attack_modes: [adaptive, transfer]\n")
    labels = {item.label.partition(", original")[0] for item in identities(plan).values()}
    assert {"push eps 0.03", "shield, push eps 0.03", "shield, transfer push eps 0.03"} < labels


@pytest.mark.parametrize(
    ("attacks", "epsilons", "message", "hint"),
    [
        (
            "[push]",
            "[0.03, 8]",
            "example.yaml:5: epsilon 8 of push is larger than any image: in pixel units of [0,1] "
            "no linf distance exceeds 1",
            "divide by 255 if you mean 8-bit pixels: 0.03137",
        ),
        # The images are 3 x 32 x 32: the square root of 3072.
        (
            '["push(norm=l2)"]',
            "[55.43]",
            "example.yaml:5: epsilon 55.43 of push(norm=l2) is larger than any image: in pixel "
            "units of [0,1] no l2 distance exceeds 55.4256",
            "8-bit pixels: 0.2174",
        ),
        (
            '[push, "push(norm=l2)"]',
            "[1.5]",
            "epsilon 1.5 of push is larger than any image",
            "put attacks of another norm into a block of their own",
        ),
    ],
)
def test_an_epsilon_beyond_every_image_is_refused(plan_of, attacks, epsilons, message, hint):
    text = SUITE.replace("[push]", attacks).replace("[0.06, 0.03]", epsilons)
    with pytest.raises(SpecificationError) as raised:
        plan_of(text)
    assert message in raised.value.what
    assert hint in (raised.value.hint or "")


def test_the_line_of_an_epsilon_is_its_own(plan_of):
    text = SUITE.replace("epsilons: [0.06, 0.03]", "epsilons:\n  - 0.03\n  - 8")
    with pytest.raises(SpecificationError, match=r"^example.yaml:7: epsilon 8 of push"):
        plan_of(text)
    with pytest.raises(SpecificationError, match=r"^command line: epsilon 8 of push"):
        plan_of(SUITE, (("epsilons",), ["8"]))


def test_the_largest_distances_there_are_may_be_asked_for(searches):
    assert len(searches(SUITE.replace("[0.06, 0.03]", "[1, 0]"))) == 4
    l2 = SUITE.replace("[push]", '["push(norm=l2)"]').replace("[0.06, 0.03]", "[55.42, 8]")
    assert len(searches(l2)) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("attack_modes: [adaptiv]", "example.yaml:9: 'attack_modes.0'"),
        ("attack_modes: []", "example.yaml:9: 'attack_modes'"),
        ("criterion: exact", "example.yaml:9: 'criterion'"),
        ("attack_precision: float16", "example.yaml:9: 'attack_precision'"),
    ],
)
def test_words_that_are_none_are_named_with_their_line(plan_of, line, message):
    with pytest.raises(SpecificationError) as raised:
        plan_of(SUITE + line + "\n")
    assert message in str(raised.value)

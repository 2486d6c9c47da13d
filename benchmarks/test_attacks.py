"""Attacks beside torchattacks, foolbox and the Adversarial Robustness Toolbox, on one CPU.

All contenders attack the same model with the same parameters in float32, each in a process of its
own, and must leave the same accuracy. Ours follows the gradients of a FastModel, as evaluations do;
building one, which serves all batches, attacks and epsilons, has a row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import own_attacks
import peers
import pytest
import small_models
from apart import apart
from processor import TILES_OF_BFLOAT16
from small_models import Attacked

# Models are trained first.
pytestmark = pytest.mark.timeout(1200)

STEPS, SHARE = 20, 0.1
EPSILONS = (0.03, 0.06, 0.09)

# Of a goal: what a neighbour on the machine may take of a ratio.
LEAST = 0.8


def resnet18(count: int) -> Attacked:
    return small_models.trained(small_models.resnet18, small_models.PHOTOGRAPHS).first(count)


def timed_apart(title, setups, rounds, goals: Mapping[str, float], compare, benchmark) -> None:
    """Contenders in processes of their own; the ratios are near their goals, and recorded."""
    texts = {peer: f"at least {goal:g}" for peer, goal in goals.items()}
    with apart(setups) as contenders:
        comparison = compare(title, contenders, rounds=rounds, goals=texts, scale={})
        benchmark.pedantic(next(iter(contenders.values())), rounds=1)
    benchmark.extra_info.update(comparison.ratios)
    for peer, goal in goals.items():
        comparison.expect(peer, at_least=LEAST * goal)


# Network, goals, rounds.
EVERY_STEP = {
    "small CNN": (small_models.small_cnn, {"torchattacks": 1.7, "foolbox": 2.2}, 7),
    "ResNet-18 of width 16": (
        small_models.resnet18,
        {"torchattacks": 1.2, "foolbox": 1.8},
        5,
    ),
}


@pytest.mark.benchmark(group="attacks")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "small CNN" else pytest.mark.long)
        for name in EVERY_STEP
    ],
)
def test_pgd_with_every_step_taken(benchmark, compare, name):
    build, goals, rounds = EVERY_STEP[name]
    attacked = small_models.trained(build, small_models.PHOTOGRAPHS).first(64)
    setups = {
        "hfcbench": own_attacks.setup_of(own_attacks.pgd, attacked, 0.02, STEPS, SHARE),
        "torchattacks": own_attacks.setup_of(peers.torchattacks_pgd, attacked, 0.02, STEPS, SHARE),
        "foolbox": own_attacks.setup_of(peers.foolbox_pgd, attacked, 0.02, STEPS, SHARE),
        "ART": own_attacks.setup_of(peers.art_pgd, attacked, 0.02, STEPS, SHARE),
    }
    left = {peer: attacked.accuracy(setup()()) for peer, setup in setups.items()}
    assert len(set(left.values())) == 1
    assert 0 < left["hfcbench"] < attacked.accuracy(attacked.images) - 0.1

    building = partial(partial, own_attacks.fast, attacked)
    title = f"PGD-{STEPS}, every step, {name} with BatchNorm, 64 images of 32x32"
    timed_apart(
        title, {**setups, "building a FastModel": building}, rounds, goals, compare, benchmark
    )


# Data set, epochs of training, goals.
SEARCHED = {
    "fragile evidence": (small_models.FRAGILE, 3, {"torchattacks": 20.0}),
    # As slow as it gets: images of photographs that no step breaks stay to the end.
    "photographs": (small_models.PHOTOGRAPHS, 2, {}),
}


@pytest.mark.long
@pytest.mark.benchmark(group="attacks")
@pytest.mark.parametrize("name", SEARCHED)
def test_three_epsilons_of_pgd_in_one_search(benchmark, compare, name):
    dataset, epochs, goals = SEARCHED[name]
    attacked = small_models.trained(small_models.resnet20, dataset, epochs=epochs).first(256)

    def calls(peer):
        return partial(own_attacks.calls_of, peer, attacked, EPSILONS, STEPS, SHARE)

    setups = {
        "hfcbench": partial(own_attacks.search, attacked, EPSILONS, STEPS, SHARE),
        "torchattacks": calls(peers.torchattacks_pgd),
        "foolbox": calls(peers.foolbox_pgd),
    }
    found, theirs = (setups[peer]()() for peer in ("hfcbench", "torchattacks"))
    for worst, images in zip(found, theirs, strict=True):
        # An image that was broken on the way is broken: the worst case is never better.
        difference = attacked.accuracy(images) - attacked.accuracy(worst.images)
        assert 0 <= difference < 0.02
    assert attacked.accuracy(found[0].images) < 0.3 < attacked.accuracy(attacked.images)

    title = f"PGD-{STEPS} at {EPSILONS}, ResNet-20 with BatchNorm on {name}, 256 images"
    timed_apart(title, setups, 3, goals, compare, benchmark)


@pytest.mark.benchmark(group="attacks")
def test_three_epsilons_of_fgsm(benchmark, compare):
    attacked = resnet18(64)
    goals = {"torchattacks": 2.5, "foolbox": 2.5}
    setups = {
        "hfcbench": partial(own_attacks.fgsm, attacked, EPSILONS),
        "torchattacks": partial(own_attacks.calls_of, peers.torchattacks_fgsm, attacked, EPSILONS),
        "foolbox": partial(own_attacks.calls_of, peers.foolbox_fgsm, attacked, EPSILONS),
    }
    left = [[attacked.accuracy(images) for images in setup()()] for setup in setups.values()]
    assert left[0] == left[1] == left[2]

    title = f"FGSM at {EPSILONS}, ResNet-18 of width 16, 64 images"
    timed_apart(title, setups, 11, goals, compare, benchmark)


@pytest.mark.long
@pytest.mark.benchmark(group="attacks")
def test_bfloat16(benchmark, compare, show):
    """Faster where a CPU multiplies matrices of bfloat16 ; slower where it does not."""
    attacked = resnet18(64)
    exact = own_attacks.setup_of(own_attacks.pgd, attacked, 0.02, STEPS, SHARE)
    setups = {"bfloat16": partial(exact, precision="bfloat16"), "float32": exact}
    left = {name: attacked.accuracy(setup()()) for name, setup in setups.items()}
    show("accuracy that gradients in bfloat16 leave", left, "of the images", {})
    assert abs(left["float32"] - left["bfloat16"]) < 0.05

    goals = {"float32": 2.3} if TILES_OF_BFLOAT16 else {}
    title = f"PGD-{STEPS} with gradients in bfloat16, ResNet-18 of width 16, 64 images"
    timed_apart(title, setups, 5, goals, compare, benchmark)

"""Attacks beside torchattacks, foolbox and the Adversarial Robustness Toolbox, on one CPU.

All contenders attack the same model with the same parameters in float32, and must leave the same
accuracy. Ours follows the gradients of a FastModel, as evaluations do; building one, which serves
all batches, attacks and epsilons, has a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attacked_models
import cpuinfo
import peers
import pytest
import torch
from attacked_models import Attacked
from torch import Tensor

from hfcbench.adversarial.climbing import climb_fully
from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.worst_case import WorstCase, worst_cases
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.pgd import PGD

# Models are trained first.
pytestmark = pytest.mark.timeout(1200)

STEPS, SHARE = 20, 0.1
EPSILONS = (0.03, 0.06, 0.09)
PGD_20 = PGD(steps=STEPS, step_share=SHARE)

# Of a goal: what a neighbour on the machine may take of a ratio.
LEAST = 0.8


def pgd_of(peer: Callable[..., peers.Call], attacked: Attacked, epsilon: float) -> peers.Call:
    return peer(attacked.model, attacked.images, attacked.labels, epsilon, STEPS, SHARE)


def fast(attacked: Attacked) -> FastModel:
    return FastModel(attacked.model, attacked.images[:4])


def resnet18(count: int) -> Attacked:
    return attacked_models.trained(attacked_models.resnet18, attacked_models.PHOTOGRAPHS).first(
        count
    )


def climbed(attacked: Attacked, model: FastModel, epsilon: float) -> Tensor:
    (found,) = climb_fully(
        PGD_20, model, attacked.images, attacked.labels, [epsilon], torch.Generator()
    )
    return found


def check(comparison, goals: Mapping[str, float], benchmark) -> None:
    """The ratios are near their goals, and part of the benchmark's record."""
    ratios = {peer: comparison.ratio(peer) for peer in comparison.seconds}
    benchmark.extra_info.update(ratios)
    for peer, goal in goals.items():
        assert ratios[peer] >= LEAST * goal


def texts(goals: Mapping[str, float]) -> dict[str, str]:
    return {peer: f"at least {goal:g}" for peer, goal in goals.items()}


# Network, epsilon, goals, images, rounds.
EVERY_STEP = {
    "small CNN": (attacked_models.small_cnn, 0.02, {"torchattacks": 1.7, "foolbox": 2.2}, 64, 7),
    "ResNet-18 of width 16": (
        attacked_models.resnet18,
        0.02,
        {"torchattacks": 1.2, "foolbox": 1.8},
        64,
        5,
    ),
}


@pytest.mark.benchmark(group="attacks")
@pytest.mark.parametrize("name", EVERY_STEP)
def test_pgd_with_every_step_taken(benchmark, compare, name):
    build, epsilon, goals, count, rounds = EVERY_STEP[name]
    attacked = attacked_models.trained(build, attacked_models.PHOTOGRAPHS).first(count)
    model = fast(attacked)
    contenders = {
        "hfcbench": lambda: climbed(attacked, model, epsilon),
        "torchattacks": pgd_of(peers.torchattacks_pgd, attacked, epsilon),
        "foolbox": pgd_of(peers.foolbox_pgd, attacked, epsilon),
        "ART": pgd_of(peers.art_pgd, attacked, epsilon),
    }
    left = {peer: attacked.accuracy(run()) for peer, run in contenders.items()}
    assert len(set(left.values())) == 1
    assert 0 < left["hfcbench"] < attacked.accuracy(attacked.images) - 0.1

    comparison = compare(
        f"PGD-{STEPS}, every step, {name} with BatchNorm, {count} images of 32x32",
        {**contenders, "building a FastModel": lambda: fast(attacked)},
        rounds=rounds,
        goals=texts(goals),
        scale={},
    )
    check(comparison, goals, benchmark)
    benchmark.pedantic(contenders["hfcbench"], rounds=1)


def search(attacked: Attacked, model: FastModel) -> Sequence[WorstCase]:
    return list(
        worst_cases(
            PGD_20,
            "pgd",
            attacked.model,
            attacked.images,
            attacked.labels,
            EPSILONS,
            torch.Generator(),
            climbed=model,
        )
    )


def three_calls(peer: Callable[..., peers.Call], attacked: Attacked) -> Callable[[], list[Tensor]]:
    calls = [pgd_of(peer, attacked, epsilon) for epsilon in EPSILONS]
    return lambda: [call() for call in calls]


# Data set, epochs of training, goals.
SEARCHED = {
    "fragile evidence": (attacked_models.FRAGILE, 3, {"torchattacks": 20.0}),
    # As slow as it gets: images of photographs that no step breaks stay to the end.
    "photographs": (attacked_models.PHOTOGRAPHS, 2, {}),
}


@pytest.mark.benchmark(group="attacks")
@pytest.mark.parametrize("name", SEARCHED)
def test_three_epsilons_of_pgd_in_one_search(benchmark, compare, name):
    dataset, epochs, goals = SEARCHED[name]
    attacked = attacked_models.trained(attacked_models.resnet20, dataset, epochs=epochs).first(256)
    model = fast(attacked)
    found = search(attacked, model)
    theirs = three_calls(peers.torchattacks_pgd, attacked)()
    for worst, images in zip(found, theirs, strict=True):
        # An image that was broken on the way is broken: the worst case is never better.
        difference = attacked.accuracy(images) - attacked.accuracy(worst.images)
        assert 0 <= difference < 0.02
    assert attacked.accuracy(found[0].images) < 0.3 < attacked.accuracy(attacked.images)

    comparison = compare(
        f"PGD-{STEPS} at {EPSILONS}, ResNet-20 with BatchNorm on {name}, 256 images",
        {
            "hfcbench": lambda: search(attacked, model),
            "torchattacks": three_calls(peers.torchattacks_pgd, attacked),
            "foolbox": three_calls(peers.foolbox_pgd, attacked),
        },
        rounds=3,
        goals=texts(goals),
        scale={},
    )
    check(comparison, goals, benchmark)
    benchmark.pedantic(lambda: search(attacked, model), rounds=1)


@pytest.mark.benchmark(group="attacks")
def test_three_epsilons_of_fgsm(benchmark, compare):
    attacked = resnet18(64)
    goals = {"torchattacks": 2.5, "foolbox": 2.5}
    arguments = (attacked.model, attacked.images, attacked.labels)

    def ours() -> list[Tensor]:
        return FGSM().perturb(*arguments, EPSILONS, torch.Generator())

    def calls(peer: Callable[..., peers.Call]) -> Callable[[], list[Tensor]]:
        each = [peer(*arguments, epsilon) for epsilon in EPSILONS]
        return lambda: [call() for call in each]

    contenders = {
        "hfcbench": ours,
        "torchattacks": calls(peers.torchattacks_fgsm),
        "foolbox": calls(peers.foolbox_fgsm),
    }
    left = [[attacked.accuracy(images) for images in run()] for run in contenders.values()]
    assert left[0] == left[1] == left[2]
    comparison = compare(
        f"FGSM at {EPSILONS}, ResNet-18 of width 16, 64 images",
        contenders,
        rounds=11,
        goals=texts(goals),
        scale={},
    )
    check(comparison, goals, benchmark)
    benchmark.pedantic(ours, rounds=1)


@pytest.mark.benchmark(group="attacks")
def test_bfloat16(benchmark, compare, capsys):
    """Faster where a CPU multiplies matrices of bfloat16 (AMX); slower where it does not."""
    attacked = resnet18(64)
    exact = fast(attacked)
    rounded = FastModel(attacked.model, attacked.images[:4], "bfloat16")
    left = [attacked.accuracy(climbed(attacked, model, 0.02)) for model in (exact, rounded)]
    with capsys.disabled():
        print(f"\naccuracy left: {left[0]:.3f} by float32, {left[1]:.3f} by bfloat16")
    assert abs(left[0] - left[1]) < 0.05

    goals = {"float32": 2.3} if "amx_bf16" in cpuinfo.get_cpu_info().get("flags", ()) else {}
    comparison = compare(
        f"PGD-{STEPS} with gradients in bfloat16, ResNet-18 of width 16, 64 images",
        {
            "bfloat16": lambda: climbed(attacked, rounded, 0.02),
            "float32": lambda: climbed(attacked, exact, 0.02),
        },
        rounds=5,
        goals=texts(goals),
        scale={},
    )
    check(comparison, goals, benchmark)
    benchmark.pedantic(lambda: climbed(attacked, rounded, 0.02), rounds=1)

"""Our attacks, called as those of peers.py are: every step for every image, or a search.

As in runs, the allocator of the process keeps freed memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from peers import Call
from small_models import Attacked
from torch import Tensor, nn

from hfcbench.adversarial.climbing import climb_fully
from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.worst_case import WorstCase, worst_cases
from hfcbench.allocator import keep_freed_memory
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.types import Precision


def fast(attacked: Attacked, precision: Precision = "float32") -> FastModel:
    return FastModel(attacked.model, attacked.images[:4], precision)


def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    steps: int,
    share: float,
    precision: Precision = "float32",
) -> Call:
    keep_freed_memory()
    attack = PGD(steps=steps, step_share=share)
    climbed = fast(Attacked(model, images, labels), precision)

    def call() -> Tensor:
        (found,) = climb_fully(attack, climbed, images, labels, [epsilon], torch.Generator())
        return found

    return call


def search(
    attacked: Attacked, epsilons: Sequence[float], steps: int, share: float
) -> Callable[[], list[WorstCase]]:
    """The worst cases in balls of all epsilons, by PGD."""
    keep_freed_memory()
    attack = PGD(steps=steps, step_share=share)
    climbed = fast(attacked)
    subject = (attacked.model, attacked.images, attacked.labels)
    return lambda: list(
        worst_cases(attack, "pgd", *subject, epsilons, torch.Generator(), climbed=climbed)
    )


def fgsm(attacked: Attacked, epsilons: Sequence[float]) -> Callable[[], list[Tensor]]:
    keep_freed_memory()
    subject = (attacked.model, attacked.images, attacked.labels)
    return lambda: list(FGSM().perturb(*subject, epsilons, torch.Generator()))


def calls_of(
    peer: Callable[..., Call], attacked: Attacked, epsilons: Sequence[float], *more: float
) -> Callable[[], list[Tensor]]:
    """What users of a peer do for several epsilons: a call for each."""
    subject = (attacked.model, attacked.images, attacked.labels)
    calls = [peer(*subject, epsilon, *more) for epsilon in epsilons]
    return lambda: [call() for call in calls]


def setup_of(peer: Callable[..., Call], attacked: Attacked, *more: float) -> Callable[[], Call]:
    return partial(peer, attacked.model, attacked.images, attacked.labels, *more)

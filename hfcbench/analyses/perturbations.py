"""Spectra of the perturbations that an attack finds."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from hfcbench.adversarial.promises import attacked_images
from hfcbench.analyses.subjects import batches
from hfcbench.devices import generator_for
from hfcbench.errors import NodeError
from hfcbench.frequency.spectra import ring_energies
from hfcbench.quantities import Axis, Quantity, Subject


def ring_shares(subject: Subject) -> tuple[Tensor, int]:
    """Each perturbed image's shares of energy ``(N,R)`` by ring; how many were not perturbed.

    Raises:
        NodeError: the subject names no attack, or the attack breaks its promises.
    """
    if subject.attack is None or subject.epsilon is None:
        raise NodeError("a spectrum of perturbations needs an attack and an epsilon")
    found: list[Tensor] = []
    unperturbed = 0
    for number, (images, labels) in enumerate(batches(subject)):
        generator = generator_for(subject.device, subject.seed, subject.attack_label, number)
        (attacked,) = attacked_images(
            subject.attack,
            subject.attack_label,
            subject.model,
            images,
            labels,
            [subject.epsilon],
            generator,
        )
        energies = ring_energies(attacked - images).double()
        total = energies.sum(1)
        unperturbed += int((total == 0).sum())
        found.append((energies[total > 0] / total[total > 0, None]).cpu())
    return torch.cat(found), unperturbed


def mean_quantity(name: str, unit: str, values: Tensor, axes: tuple[Axis, ...]) -> Quantity:
    """The mean over images ``(N,...)`` with Student's t 95% interval."""
    n = len(values)
    mean = values.mean(0).numpy()
    if n < 2:
        return Quantity(name, unit, mean, axes, n=n)
    reach = stats.t.ppf(0.975, n - 1) * values.std(0).numpy() / np.sqrt(n)
    return Quantity(name, unit, mean, axes, mean - reach, mean + reach, n)

"""Spectra of attacks that add one known frequency."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.analyses.perturbation_spectrum import PerturbationSpectrum
from hfcbench.attack_types import Attack
from hfcbench.errors import NodeError
from hfcbench.frequency.fourier_basis import basis_images
from hfcbench.frequency.spectra import ring_energies

IMAGES = np.full((5, 2, 12, 12), 128)


class OneFrequency(Attack):
    """Adds a wave, but leaves the images of class 1 alone."""

    def __init__(self, frequency):
        wave = basis_images(12, 12, torch.tensor([frequency]))[0]
        self.wave = wave / wave.abs().max()

    def perturb(self, model, images, labels, epsilons, generator):
        moved = (labels == 0).float()[:, None, None, None]
        return [images + epsilon * moved * self.wave for epsilon in epsilons]


def spectrum(subject, attack, labels):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(288, 2))
    seen = subject(model, IMAGES, labels, attack=attack, attack_label="wave", epsilon=0.1)
    return PerturbationSpectrum().measure(seen)


def test_all_energy_lies_on_the_ring_of_the_frequency(subject, named):
    found = named(spectrum(subject, OneFrequency([3, 4]), [0, 0, 1, 0, 0]))
    shares = found["energy-share"].values
    assert shares[5] == pytest.approx(1, abs=1e-6)
    assert shares.sum() == pytest.approx(1)
    beyond = found["energy-share-beyond"].values
    assert beyond[:6] == pytest.approx(np.ones(6))
    assert abs(beyond[6:]).max() < 1e-6
    assert float(found["mean-radius"].values) == pytest.approx(5.5, abs=1e-5)
    assert float(found["unperturbed"].values) == 1
    assert found["energy-share"].n == 4


def test_ring_energies_by_definition():
    images = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    expected = np.zeros((2, 4))
    for n, image in enumerate(images.numpy()):
        for channel in image:
            for i in range(5):
                for j in range(6):
                    phases = np.add.outer(i * np.arange(5) / 5, j * np.arange(6) / 6)
                    value = (channel * np.exp(-2j * np.pi * phases)).sum()
                    across = ((i + 2) % 5 - 2, (j + 3) % 6 - 3)
                    expected[n, int(np.hypot(*across))] += abs(value) ** 2
    np.testing.assert_allclose(ring_energies(images).numpy(), expected, rtol=1e-4)


def test_an_attack_that_moves_nothing_has_no_spectrum(subject):
    with pytest.raises(NodeError, match="changed no image"):
        spectrum(subject, OneFrequency([1, 1]), [1] * 5)

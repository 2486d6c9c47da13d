"""A small network that is neither robust nor trivially broken."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES, CHANNELS, SIZE = 10, 3, 10


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode with test images that it classifies."""

    model: nn.Module
    images: Tensor
    labels: Tensor

    def robust(self, found: Tensor) -> Tensor:
        """Which images are still classified as their labels say."""
        with torch.no_grad():
            return self.model(found).argmax(1) == self.labels


@pytest.fixture(scope="session")
def trained() -> Trained:
    """Prototypes with noise; trained on adversarial images, so that attacks have work to do."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        prototypes = F.avg_pool2d(torch.randn(CLASSES, CHANNELS, SIZE, SIZE), 3, 1, 1)
        images, labels = _samples(prototypes, 1500)
        model = nn.Sequential(
            nn.Conv2d(CHANNELS, 12, 3, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(24 * 5 * 5, CLASSES),
        )
        _train(model, images, labels)
        images, labels = _samples(prototypes, 80)
    with torch.no_grad():
        right = model(images).argmax(1) == labels
    return Trained(model, images[right], labels[right])


def _samples(prototypes: Tensor, number: int) -> tuple[Tensor, Tensor]:
    labels = torch.randint(CLASSES, (number,))
    noise = 0.2 * torch.randn(number, *prototypes.shape[1:])
    return (0.5 + 0.3 * prototypes[labels] + noise).clamp(0, 1), labels


def _train(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    model.train()
    for _ in range(4):
        for chosen in torch.randperm(len(images)).split(100):
            batch = images[chosen].requires_grad_()
            loss = F.cross_entropy(model(batch), labels[chosen])
            (gradient,) = torch.autograd.grad(loss, batch)
            batch = (batch + 0.02 * gradient.sign()).clamp(0, 1).detach()
            optimizer.zero_grad()
            F.cross_entropy(model(batch), labels[chosen]).backward()
            optimizer.step()
    model.eval()

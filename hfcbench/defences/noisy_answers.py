"""Models that answer to noisy images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.defence_modules import RandomAnswers


class NoisyAnswers(RandomAnswers):
    """A model that answers with the mean over Gaussian noise.

    Args:
        sigma: standard deviation in pixel units of [0,1].
        draws: per answer.
        attack_draws: per gradient.
        votes: average classes instead of probabilities; gradients are those of probabilities.
    """

    def __init__(
        self, model: nn.Module, sigma: float, draws: int, attack_draws: int, votes: bool = False
    ) -> None:
        super().__init__(model, draws, attack_draws)
        self.sigma = sigma
        self.votes = votes

    def draw(self, images: Tensor) -> Tensor:
        """Probabilities ``(N,K)``, or a 1 for the most probable class, under one noise."""
        noisy = images + self.sigma * torch.randn_like(images)
        probabilities = F.softmax(self.model(noisy), dim=1)
        if not self.votes:
            return probabilities
        votes = F.one_hot(probabilities.argmax(1), probabilities.shape[1])
        return votes + (probabilities - probabilities.detach())

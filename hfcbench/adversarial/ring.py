"""Changes to images that keep to a ring of frequencies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hfcbench.adversarial.ball import Ball, distances
from hfcbench.attack_types import Norm
from hfcbench.errors import NodeError
from hfcbench.frequency.fourier import split_bands
from hfcbench.frequency.masks import band_mask

_ALTERNATIONS = 10


@dataclass(frozen=True)
class Ring:
    """The frequencies ``inner <= distance to DC < outer``, in cycles per image."""

    inner: float
    outer: float

    def part(self, changes: Tensor) -> Tensor:
        """The nearest changes ``(N,C,H,W)`` whose frequencies all lie in the ring."""
        return split_bands(changes, [(self.inner, self.outer)])[0][0]

    def check(self, images: Tensor) -> None:
        """Raise NodeError if images of this size have no frequency in the ring."""
        height, width = images.shape[2:]
        if not band_mask(height, width, self.inner, self.outer).any():
            raise NodeError(
                f"no frequency of {height}x{width} images lies from {self.inner:g} "
                f"to {self.outer:g} cycles per image"
            )

    def steepest(self, gradient: Tensor, norm: Norm) -> Tensor:
        """A direction ``(N,C,H,W)`` within the ring, of length 1 in the norm, that rises steeply.

        For ``l2`` the steepest one is the gradient's part. For ``linf`` it has no closed form: the
        part of the sign of the gradient's part rises, since its product with the gradient is the
        sum of the latter's absolute values, and is flat enough to use the ball.

        Args:
            gradient: finite, of a size that does not vanish when squared.
        """
        direction = self.part(gradient)
        if norm == "linf":
            direction = self.part(direction.sign())
        return direction / _lengths(norm, direction)

    def confine(self, images: Tensor, ball: Ball, norm: Norm) -> Tensor:
        """Images in the ball whose changes keep to the ring, as far as pixels stay in [0,1].

        Projecting to ball and ring in turn comes near to what both share. What is still beyond the
        ball is shortened, which keeps it in the ring; then pixels are cut to [0,1].

        Guarantees: inside the ball. Where no pixel is cut, no energy of the change lies beyond the
        ring but for rounding.
        """
        change = images - ball.images
        for _ in range(_ALTERNATIONS):
            change = self.part(ball.project(ball.images + change) - ball.images)
        change *= (ball.epsilon / _lengths(norm, change)).clamp_(max=1)
        return ball.project(ball.images + change)


def _lengths(norm: Norm, changes: Tensor) -> Tensor:
    """Lengths ``(N,1,1,1)`` to divide by: nothing is as long as the shortest number."""
    tiny = torch.finfo(changes.dtype).tiny
    return distances(norm, changes).clamp_min(tiny).view(-1, 1, 1, 1)

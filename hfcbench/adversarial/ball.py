"""Balls around images, within the range of pixels."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from hfcbench.adversarial.gradient import scaled
from hfcbench.attack_types import Norm

_TINY = 1e-12


class Ball:
    """All images within ``epsilon`` of the given ones, in some norm, that are images themselves.

    Args:
        images: ``(N,C,H,W)`` in [0,1].
        epsilon: radius in pixel units, >= 0.
    """

    def __init__(self, images: Tensor, epsilon: float) -> None:
        self.images = images
        self.epsilon = epsilon

    def part(self, chosen: Tensor) -> Self:
        """The balls of some of the images."""
        return type(self)(self.images[chosen], self.epsilon)

    def project(self, images: Tensor) -> Tensor:
        """Images ``(N,C,H,W)`` inside; those that are inside already stay as they are."""
        raise TypeError(f"{type(self).__name__} does not say what lies inside")

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction ``(N,C,H,W)`` of length 1 in this norm that the loss rises fastest in."""
        raise TypeError(f"{type(self).__name__} does not say what its directions are")

    def random_point(self, generator: torch.Generator) -> Tensor:
        """A uniformly random point ``(N,C,H,W)`` of each ball, put into the range of pixels."""
        raise TypeError(f"{type(self).__name__} does not say how it is drawn from")


class LinfBall(Ball):
    """Largest change of a pixel at most epsilon: ``max |x' - x| <= epsilon`` and x' in [0,1]."""

    def __init__(self, images: Tensor, epsilon: float) -> None:
        super().__init__(images, epsilon)
        self._low = (images - epsilon).clamp_(min=0)
        self._high = (images + epsilon).clamp_(max=1)

    def project(self, images: Tensor) -> Tensor:
        return torch.clamp(images, self._low, self._high)

    def steepest(self, gradient: Tensor) -> Tensor:
        return gradient.sign()

    def random_point(self, generator: torch.Generator) -> Tensor:
        start = torch.empty_like(self.images).uniform_(-1, 1, generator=generator)
        return self.project(self.images + self.epsilon * start)


class L2Ball(Ball):
    """Euclidean length of the change at most epsilon, over all pixels of an image; x' in [0,1].

    The projection shortens the change, then cuts pixels to [0,1], which shortens it further: what
    it gives lies inside, though it is not always the very nearest point.
    """

    def project(self, images: Tensor) -> Tensor:
        change = images - self.images
        factor = (self.epsilon / _lengths(change).clamp_min(_TINY)).clamp_(max=1)
        return (self.images + change * factor).clamp_(0, 1)

    def steepest(self, gradient: Tensor) -> Tensor:
        direction = scaled(gradient)
        return direction / _lengths(direction).clamp_min(_TINY)

    def random_point(self, generator: torch.Generator) -> Tensor:
        # A random direction, at a distance whose power of the number of values is uniform.
        direction = torch.empty_like(self.images).normal_(generator=generator)
        direction /= _lengths(direction).clamp_min(_TINY)
        shape = (len(direction), 1, 1, 1)
        distance = torch.empty(shape, dtype=direction.dtype, device=direction.device)
        distance.uniform_(generator=generator).pow_(1 / self.images[0].numel())
        return self.project(self.images + self.epsilon * distance * direction)


_BALLS: dict[Norm, type[Ball]] = {"linf": LinfBall, "l2": L2Ball}


def ball_of(norm: Norm, images: Tensor, epsilon: float) -> Ball:
    """The ball of a norm around images ``(N,C,H,W)`` in [0,1]."""
    return _BALLS[norm](images, epsilon)


def distances(norm: Norm, changes: Tensor) -> Tensor:
    """How long changes ``(N,C,H,W)`` are in a norm, ``(N,)``."""
    return changes.abs().amax(dim=(1, 2, 3)) if norm == "linf" else _lengths(changes).flatten()


def _lengths(changes: Tensor) -> Tensor:
    """Euclidean lengths ``(N,1,1,1)``."""
    lengths: Tensor = torch.linalg.vector_norm(changes, dim=(1, 2, 3), keepdim=True)
    return lengths

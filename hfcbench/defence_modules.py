"""Modules that defences put around a model, honest towards attacks.

A defence whose gradient is useless or random can look robust without being so (Athalye, Carlini,
Wagner 2018, "Obfuscated gradients give a false sense of security"). These modules let attacks
through by default; an attribute ``adaptive`` turns that off for attacks that know no better.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class InputTransform(nn.Module):
    """A model that sees transformed images. Subclasses override :meth:`transform`.

    Attributes:
        differentiable: whether the transform has a gradient worth following. Where it has not, its
            gradient is taken as the identity (backward pass differentiable approximation, BPDA).
        adaptive: whether that is done; otherwise attacks get the transform's own gradient.
    """

    differentiable: ClassVar[bool] = False

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.adaptive = True

    def transform(self, images: Tensor) -> Tensor:
        """What the model sees, ``(N,C,H,W)``, of images ``(N,C,H,W)`` in [0,1]."""
        raise TypeError(f"{type(self).__name__} does not say what the model sees")

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` for images ``(N,C,H,W)`` in [0,1]."""
        if self.differentiable or not self.adaptive:
            seen = self.transform(images)
        else:
            seen = straight_through(images, self.transform)
        logits: Tensor = self.model(seen)
        return logits


def straight_through(images: Tensor, transform: Any) -> Tensor:
    """``transform(images)`` exactly, with the identity as its gradient."""
    result: Tensor = _StraightThrough.apply(images, transform)
    return result


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, images: Tensor, transform: Any) -> Tensor:
        seen: Tensor = transform(images)
        return seen

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class RandomAnswers(nn.Module):
    """A model whose answers are means over random draws. Subclasses override :meth:`draw`.

    Attacks follow the gradient of the mean over ``attack_draws`` (expectation over transformation,
    EOT; Athalye, Engstrom, Ilyas, Kwok 2018); where ``adaptive`` is off, that of a single draw.

    Args:
        draws: per answer.
        attack_draws: per gradient.
    """

    def __init__(self, model: nn.Module, draws: int, attack_draws: int) -> None:
        super().__init__()
        self.model = model
        self.draws = draws
        self.attack_draws = attack_draws
        self.adaptive = True

    def draw(self, images: Tensor) -> Tensor:
        """Probabilities of classes ``(N,K)`` for one random draw from torch's global generator."""
        raise TypeError(f"{type(self).__name__} does not say what it draws")

    def forward(self, images: Tensor) -> Tensor:
        """Logarithms ``(N,K)`` of the mean probabilities, which serve as logits."""
        attacked = torch.is_grad_enabled() and images.requires_grad
        draws = (self.attack_draws if self.adaptive else 1) if attacked else self.draws
        total = self.draw(images)
        for _ in range(draws - 1):
            total = total + self.draw(images)
        return (total / draws).clamp_min(torch.finfo(total.dtype).tiny).log()


def set_adaptive(module: nn.Module, adaptive: bool) -> None:
    """Whether attacks are let through all defences in a module."""
    for part in module.modules():
        if isinstance(getattr(part, "adaptive", None), bool):
            part.adaptive = adaptive  # type: ignore[assignment]


def is_random(module: nn.Module) -> bool:
    """Whether a module declares that its answers are random."""
    return any(isinstance(part, RandomAnswers) for part in module.modules())

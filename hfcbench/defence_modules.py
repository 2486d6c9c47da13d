"""Modules that defences put around a model, honest towards attacks.

A defence whose gradient is useless or random can look robust without being so (Athalye, Carlini,
Wagner 2018, "Obfuscated gradients give a false sense of security"). These modules let attacks
through by default; an attribute ``adaptive`` turns that off for attacks that know no better.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class InputTransform(nn.Module):
    """A model that sees transformed images. Subclasses override :meth:`transform`.

    Gradients change no answer: the transformed images are the same with and without them.

    Attributes:
        differentiable: whether the transform has a gradient worth following. Where it has not, its
            gradient is taken as the identity (backward pass differentiable approximation, BPDA).
        adaptive: whether that is done; otherwise attacks get the transform's own gradient, which
            is zero where it computes outside of torch.

    Args:
        model: copied, so that the given one stays as it is.
    """

    differentiable: ClassVar[bool] = False

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
        self.adaptive = True

    def transform(self, images: Tensor) -> Tensor:
        """What the model sees, ``(N,C,H,W)``, of images ``(N,C,H,W)`` in [0,1]."""
        raise TypeError(f"{type(self).__name__} does not say what the model sees")

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` for images ``(N,C,H,W)`` in [0,1]."""
        if self.differentiable or not self.adaptive:
            seen = self.transform(images)
            if torch.is_grad_enabled() and images.requires_grad and not seen.requires_grad:
                seen = _WithoutGradient.apply(images, seen)
        else:
            seen = straight_through(images, self.transform)
        logits: Tensor = self.model(seen)
        return logits


def straight_through(images: Tensor, transform: Callable[[Tensor], Tensor]) -> Tensor:
    """``transform(images)`` exactly, with the identity as its gradient."""
    result: Tensor = _StraightThrough.apply(images, transform)
    return result


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, images: Tensor, transform: Callable[[Tensor], Tensor]) -> Tensor:
        return transform(images)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _WithoutGradient(torch.autograd.Function):
    """``seen`` as a function of the images that never changes: its gradient is zero."""

    @staticmethod
    def forward(context: Any, images: Tensor, seen: Tensor) -> Tensor:
        context.images = images
        return seen.view_as(seen)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return torch.zeros_like(context.images), None


class RandomAnswers(nn.Module):
    """A model whose answers are means over random draws. Subclasses override :meth:`draw`.

    Attacks follow the gradient of the mean over ``attack_draws`` (expectation over transformation,
    EOT; Athalye, Engstrom, Ilyas, Kwok 2018); where ``adaptive`` is off, that of a single draw.

    Args:
        model: copied, so that the given one stays as it is.
        draws: per answer.
        attack_draws: per gradient; memory is needed for one of them only.
    """

    def __init__(self, model: nn.Module, draws: int, attack_draws: int) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
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
        draw: Callable[[Tensor], Tensor] = self.draw
        if attacked and draws > 1:
            # The graphs of many draws may not fit: each is drawn again, alike, for its gradient.
            draw = partial(checkpoint, self.draw, use_reentrant=False)
        total = draw(images)
        for _ in range(draws - 1):
            total = total + draw(images)
        return (total / draws).clamp_min(torch.finfo(total.dtype).tiny).log()


def set_adaptive(module: nn.Module, adaptive: bool) -> None:
    """Whether attacks are let through all defences in a module."""
    for part in module.modules():
        if isinstance(getattr(part, "adaptive", None), bool):
            part.adaptive = adaptive  # type: ignore[assignment]


def is_random(module: nn.Module) -> bool:
    """Whether a module declares that its answers are random."""
    return any(isinstance(part, RandomAnswers) for part in module.modules())

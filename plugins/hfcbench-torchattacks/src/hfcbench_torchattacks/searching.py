"""Running a library's attack so that nothing but its images is left of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hfcbench.adversarial.ball import distances
from hfcbench.adversarial.gradient import check_images, check_model
from hfcbench.adversarial.promises import TOLERANCE
from hfcbench.devices import seeded
from hfcbench.errors import NodeError
from hfcbench_torchattacks.wrapped import LibraryAttack, Wrapped

_ROUNDING = 1e-5
"""What float32 adds to L2 distances, relative to epsilon; seen were 5e-6 at 150,528 pixels."""


class AttackedModel(nn.Module):
    """A model as the libraries are given it.

    They take the device of the first parameter, which is the images' device here even where a model
    has none, and write into logits, of which each call makes new ones.

    Args:
        model: in evaluation mode.
        device: the images'.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.empty(0, device=device), requires_grad=False)
        self.model = model
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N,K)`` for images ``(N,C,H,W)`` in [0,1].

        Raises:
            NodeError: gradients are wanted and there are none.
        """
        logits: Tensor = self.model(images)
        if torch.is_grad_enabled() and images.requires_grad and not logits.requires_grad:
            raise NodeError(
                f"the model is not differentiable: its {logits.dtype} logits have no gradient",
                hint="attack the floating-point model, or use an attack without gradients: square",
            )
        return logits.clone()


class _PositiveLogits(nn.Module):
    """A model whose lowest logit of each image is zero, whatever the image."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images)
        return logits - logits.detach().amin(1, keepdim=True)


def search_each(
    attack: Wrapped,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
) -> list[Tensor]:
    """What the attack finds at each epsilon; see :meth:`Wrapped.perturb`."""
    seed = _seed_of(generator)
    found = []
    for epsilon in epsilons:
        if epsilon == 0:
            found.append(images.clone())
            continue
        with _left_alone(model, images, seed) as attacked:
            near = attack.find(attacked, images, labels, epsilon, seed).detach()
        found.append(_without_rounding(attack, images, near, epsilon))
    return found


def search_once(
    attack: Wrapped,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
) -> list[Tensor]:
    """What the attack finds, within each epsilon; elsewhere the image itself."""
    seed = _seed_of(generator)
    with _left_alone(model, images, seed) as attacked:
        found = attack.find(attacked, images, labels, float("inf"), seed).detach()
    # NaN, where the library divided by a gradient of zero, is not within any distance.
    far = distances(attack.norm, found - images).view(-1, 1, 1, 1)
    return [torch.where(far <= epsilon, found, images) for epsilon in epsilons]


def run_library(
    attack: LibraryAttack,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    parameters: Mapping[str, Any],
) -> Tensor:
    """The images ``(N,C,H,W)`` that the class of torchattacks with the attack's name makes.

    Raises:
        NodeError: images or a model that the class cannot attack.
    """
    import torchattacks

    name = type(attack).__name__
    channels, height, width = images.shape[1:]
    if attack.coloured and channels != 3:
        raise NodeError(f"torchattacks.{name} takes images of 3 channels, not {channels}")
    if attack.square and height != width:
        raise NodeError(
            f"torchattacks.{name} takes images as wide as high, not {height} x {width} pixels"
        )
    classes = need_classes(model, images, attack.least_classes(), f"torchattacks.{name}")
    seen = _PositiveLogits(model) if attack.positive_logits else model
    made = getattr(torchattacks, name)(seen, **parameters)
    attack.prepare(made, classes)
    found: Tensor = made(images, labels)
    return found


def need_classes(model: nn.Module, images: Tensor, least: int, what: str) -> int:
    """How many classes a model tells apart.

    Raises:
        NodeError: fewer than ``least``.
    """
    with torch.no_grad():
        classes = int(model(images[:1]).shape[1])
    if classes < least:
        raise NodeError(
            f"{what} needs at least {least} classes; the model tells {classes} apart",
            hint="apgd-ce, fab and square take any number of classes from two on",
        )
    return classes


def _seed_of(generator: torch.Generator) -> int:
    """A seed drawn from the generator; any library takes one below 2**31."""
    drawn = torch.randint(2**31, (), generator=generator, device=generator.device)
    return int(drawn)


@contextmanager
def _left_alone(model: nn.Module, images: Tensor, seed: int) -> Iterator[AttackedModel]:
    """The model for an attack; everything is afterwards as it was.

    Backward passes of libraries would otherwise add to the gradients of the model's parameters.
    """
    check_model(model)
    check_images(images)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        with torch.enable_grad(), seeded(images.device, seed), warnings.catch_warnings():
            # torchattacks 3.5.1 hands tensors to NumPy in a way that is on its way out.
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            yield AttackedModel(model, images.device)
    finally:
        np.random.set_state(state)
        for parameter in trained:
            parameter.requires_grad_(True)


def _without_rounding(attack: Wrapped, images: Tensor, found: Tensor, epsilon: float) -> Tensor:
    """Images that rounding alone put beyond what hfcbench tolerates, moved back to epsilon.

    All others stay as they are, bit by bit; hfcbench refuses those that really are too far away.
    """
    changes = found - images
    far = distances(attack.norm, changes)
    size = max(1.0, epsilon)
    rounded = (far > epsilon + TOLERANCE * size) & (far <= epsilon + _ROUNDING * size)
    nearer = images + changes * (epsilon / far).view(-1, 1, 1, 1)
    return torch.where(rounded.view(-1, 1, 1, 1), nearer, found)

"""Calling an attack and checking what it returns: plugins can be wrong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hfcbench.adversarial.ball import distances
from hfcbench.attack_types import Attack, Norm
from hfcbench.errors import NodeError

TOLERANCE = 1e-6
"""Rounding of pixels and of ``x + epsilon`` in float32, for values in [0,1]."""


def attacked_images(
    attack: Attack,
    name: str,
    model: torch.nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
) -> list[Tensor]:
    """Adversarial images for each epsilon, checked against what every attack promises.

    The attack gets copies of images and labels, so that it cannot spoil what others are given,
    and gradients are on for it, whatever the caller has set.

    Args:
        attack: called once.
        name: what messages call the attack.
        model: in evaluation mode, also afterwards.
        images: ``(N,C,H,W)`` float32 in [0,1].
        labels: ``(N,)`` int64.
        epsilons: radii in the attack's norm, in pixel units of [0,1].
        generator: on the images' device.

    Returns:
        ``(N,C,H,W)`` float32 for each epsilon, without gradients; finite, in [0,1] and within
        epsilon of the images, both up to :data:`TOLERANCE`.

    Raises:
        NodeError: the attack returned something else.
    """
    with torch.inference_mode(False), torch.enable_grad():
        found: object = attack.perturb(model, images.clone(), labels.clone(), epsilons, generator)
    model.eval()
    if not isinstance(found, list | tuple):
        raise NodeError(f"attack '{name}' returned {type(found).__name__} instead of a list")
    if len(found) != len(epsilons):
        raise NodeError(
            f"attack '{name}' returned {len(found)} batches for {len(epsilons)} epsilons"
        )
    batches = [_checked_form(batch, name, images) for batch in found]
    _check_values(batches, name, images, epsilons, attack.norm)
    return batches


def _checked_form(batch: object, name: str, images: Tensor) -> Tensor:
    if not isinstance(batch, Tensor):
        raise NodeError(f"attack '{name}' returned {type(batch).__name__} instead of images")
    expected = (tuple(images.shape), images.dtype, images.device)
    returned = (tuple(batch.shape), batch.dtype, batch.device)
    if returned != expected:
        raise NodeError(
            "attack '{}' returned images of shape {}, {} on {}".format(name, *returned)
            + " instead of shape {}, {} on {}".format(*expected)
        )
    return batch.detach()


def _check_values(
    found: Sequence[Tensor], name: str, images: Tensor, epsilons: Sequence[float], norm: Norm
) -> None:
    # NaN outlasts all three, and one transfer serves every epsilon: each would stall a GPU.
    measured = [
        torch.stack([batch.amin(), batch.amax(), distances(norm, batch - images).amax()])
        for batch in found
    ]
    for epsilon, values in zip(epsilons, torch.stack(measured).tolist(), strict=True):
        lowest, highest, distance = values
        told = f"attack '{name}' at epsilon {epsilon:g}"
        if not abs(lowest) + abs(highest) < float("inf"):
            raise NodeError(f"{told} returned pixels that are not finite")
        if lowest < -TOLERANCE or highest > 1 + TOLERANCE:
            raise NodeError(
                f"{told} left the pixel range [0,1]: its pixels are from {lowest:g} to {highest:g}"
            )
        if distance > epsilon + TOLERANCE * max(1.0, epsilon):
            moved = "a pixel" if norm == "linf" else "an image"
            raise NodeError(f"{told} moved {moved} by {distance:g}")

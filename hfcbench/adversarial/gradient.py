"""The loss gradient with respect to the images, which gradient attacks climb."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from hfcbench.errors import NodeError

_SLACK = 1e-6


def check_model(model: torch.nn.Module) -> None:
    """Raise NodeError if any layer is in training mode: its answers would change by the call."""
    if any(module.training for module in model.modules()):
        raise NodeError("the model is in training mode; call .eval() before attacking it")


def check_images(images: Tensor) -> None:
    """Raise NodeError if images are not in [0,1], which every epsilon is measured in."""
    # One read, for which a GPU is waited for, and not two.
    low, high = torch.stack(images.aminmax()).tolist()
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise NodeError(
            f"attacks take images in [0,1]; these are from {low:g} to {high:g}",
            hint="leave normalisation to the model, and divide 8-bit pixels by 255",
        )


def loss_gradient(model: torch.nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the cross-entropy with respect to each image; see gradient_and_logits."""
    return gradient_and_logits(model, images, labels)[0]


def gradient_and_logits(
    model: torch.nn.Module, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient of the cross-entropy with respect to each image, and the model's logits.

    The loss is summed over the batch, so that no image's gradient depends on the others. The
    gradients of the model's parameters are not touched.

    Args:
        model: returns logits ``(N,K)``.
        images: ``(N,C,H,W)`` floating point in [0,1].
        labels: ``(N,)`` int64 classes, or ``(N,K)`` probabilities of classes.

    Returns:
        ``(N,C,H,W)``, the type of the images; and ``(N,K)`` without a gradient.

    Raises:
        NodeError: the model's answer does not depend on its input in a differentiable way.
    """
    with torch.enable_grad():
        inputs = images.detach().clone().requires_grad_()
        logits = model(inputs)
        if not logits.requires_grad:
            raise NodeError(
                f"the model is not differentiable: its {logits.dtype} logits have no gradient",
                hint="attack the floating-point model, or leave attacks out: --set attacks=[]",
            )
        loss = F.cross_entropy(logits, labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, inputs, allow_unused=True)
    if gradient is None:
        raise NodeError("the model's answer does not depend on its input: there is no gradient")
    return gradient, logits.detach()


def scaled(gradient: Tensor) -> Tensor:
    """Gradients ``(N,C,H,W)`` divided by each image's largest value, a new tensor.

    Those of confident models are so small that their squares and sums would vanish. A gradient
    that is zero or not finite anywhere becomes zero: it points nowhere.
    """
    largest = gradient.abs().amax(dim=(1, 2, 3), keepdim=True)
    found = gradient / largest.clamp_min(torch.finfo(gradient.dtype).tiny)
    return found.nan_to_num_(0)

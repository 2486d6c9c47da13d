"""Attacking a model in the middle of its training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from hfcbench.errors import NodeError


@contextmanager
def paused_training(model: nn.Module, images: Tensor) -> Iterator[None]:
    """Within, the model answers in evaluation mode, so that it can be attacked.

    Dropout drops nothing, and BatchNorm uses its averages and leaves them alone.

    Args:
        model: in the mode it came in afterwards, also after an error.
        images: ``(B,C,H,W)``, those that are to be attacked.

    Raises:
        NodeError: the images are not in [0,1], as components may be.
    """
    if bool((images.amin() < 0) | (images.amax() > 1)):
        raise NodeError(
            "adversarial training needs images in [0,1], and these components are not",
            hint="train on the original, or with --rescaling clip or minmax",
        )
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)

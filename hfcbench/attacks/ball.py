"""The L-infinity ball around an image, within the range of pixels."""

from __future__ import annotations

import torch
from torch import Tensor


class LinfBall:
    """All images within ``epsilon`` of the given ones that are images themselves.

    Args:
        images: ``(N,C,H,W)`` in [0,1].
        epsilon: radius in pixel units, >= 0.
    """

    def __init__(self, images: Tensor, epsilon: float) -> None:
        self._low = (images - epsilon).clamp_(min=0)
        self._high = (images + epsilon).clamp_(max=1)

    def project(self, images: Tensor) -> Tensor:
        """The nearest images inside: ``max |x' - x| <= epsilon`` and x' in [0,1]."""
        return torch.clamp(images, self._low, self._high)

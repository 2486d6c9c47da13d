"""How a component's values are brought back to a pixel scale before a model sees them."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor

from hfcbench.errors import SpecificationError, nearest
from hfcbench.types import Rescaling

# A component is exact to 1e-5 and one step of an 8-bit image is 4e-3: what lies below is rounding
# noise, which must not be blown up to full contrast.
_FLAT = 1e-5


def rescale(component: Tensor, images: Tensor, rescaling: Rescaling) -> Tensor:
    """Rescale a component ``(N,C,H,W)`` float32, image by image.

    Args:
        component: values of a low or high part, not modified.
        images: ``(N,C,H,W)``, what the component is a part of; only ``mean`` looks at it.
        rescaling: one of

            - ``none``: as it is; the same tensor is returned.
            - ``max``: divided by the maximum over the image's channels and pixels; negative values
              stay (the authors' code). Images whose maximum is not above 1e-5 stay as they are.
            - ``minmax``: the image's minimum becomes 0 and its maximum 1. Images that span no more
              than 1e-5 become 0 (to within 1e-5).
            - ``clip``: values below 0 become 0, above 1 become 1.
            - ``mean``: each channel is shifted to the mean of the image's channel, which puts back
              into an HFC what the split took out, and leaves an LFC as it is.

    Raises:
        SpecificationError: another name.

    Source: paper, section 3 ("the standard pixel scale") and the authors' code for ``max``.
    """
    if rescaling == "none":
        return component
    if rescaling == "max":
        return component / _divisor(component.amax((1, 2, 3), keepdim=True))
    if rescaling == "minmax":
        lowest = component.amin((1, 2, 3), keepdim=True)
        shifted = component - lowest
        return shifted / _divisor(shifted.amax((1, 2, 3), keepdim=True))
    if rescaling == "clip":
        return component.clamp(0, 1)
    if rescaling == "mean":
        wanted = images.float().mean((2, 3), keepdim=True)  # (N,C,1,1)
        return component + (wanted - component.mean((2, 3), keepdim=True))
    raise SpecificationError(
        f"there is no rescaling '{rescaling}'; {nearest(rescaling, get_args(Rescaling))}"
    )


def _divisor(largest: Tensor) -> Tensor:
    return torch.where(largest > _FLAT, largest, torch.ones_like(largest))

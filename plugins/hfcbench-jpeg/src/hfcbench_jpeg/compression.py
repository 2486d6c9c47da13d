"""Images through a JPEG codec and back."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from hfcbench.defence_modules import InputTransform
from hfcbench.errors import NodeError


def compress(images: Tensor, quality: int) -> Tensor:
    """Each image encoded and decoded as JPEG.

    Args:
        images: ``(N,C,H,W)`` float in [0,1] with one or three channels; values beyond are cut.
        quality: 1 to 100.

    Returns:
        ``(N,C,H,W)``, same type and device, multiples of 1/255 in [0,1]; has no gradient.

    Raises:
        NodeError: images with another number of channels.
    """
    if images.shape[1] not in (1, 3):
        raise NodeError(f"JPEG takes images of 1 or 3 channels, not {images.shape[1]}")
    pixels = images.detach().mul(255).round().clamp(0, 255).to(torch.uint8)
    rows = pixels.permute(0, 2, 3, 1).cpu().numpy()  # (N,H,W,C)
    decoded = np.stack([_through_jpeg(image, quality) for image in rows])
    result = torch.from_numpy(decoded).permute(0, 3, 1, 2)
    return result.to(images.device, images.dtype).div_(255)


def _through_jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """One image ``(H,W,C)`` encoded and decoded."""
    file = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(
        file, "JPEG", quality=quality
    )
    return np.asarray(Image.open(file)).reshape(image.shape)


class Compressed(InputTransform):
    """A model that sees JPEG-compressed images; attacks take compression for the identity.

    The codec lies outside of torch: where ``adaptive`` is off, gradients are zero.
    """

    def __init__(self, model: nn.Module, quality: int) -> None:
        super().__init__(model)
        self.quality = quality

    def transform(self, images: Tensor) -> Tensor:
        """See :func:`compress`."""
        return compress(images, self.quality)

"""Augmentation of whole batches on the device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = 4


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images left to right.

    Args:
        images: ``(B,C,H,W)``, any type; not modified.
        generator: on the images' device; one draw per image.

    Returns:
        ``(B,C,H,W)`` of the same type and values.
    """
    mirrored = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pad by 4 zero pixels, crop back at a random place, mirror half of the images.

    Args:
        images: ``(B,C,H,W)``, any type; not modified.
        generator: on the images' device; one draw of place and mirroring per image.

    Returns:
        ``(B,C,H,W)`` of the same type; values are those of the images, or 0 beyond the border.
    """
    count, _, height, width = images.shape
    device = images.device
    places = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator, device=device)
    mirrored = torch.rand((count, 1), generator=generator, device=device) < 0.5
    rows = places[0] + torch.arange(height, device=device)  # (B,H)
    columns = torch.arange(width, device=device).expand(count, width)
    columns = places[1] + torch.where(mirrored, width - 1 - columns, columns)  # (B,W)
    padded = F.pad(images, [PADDING] * 4).permute(0, 2, 3, 1)  # (B,H+8,W+8,C)
    batch = torch.arange(count, device=device)[:, None, None]
    return padded[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

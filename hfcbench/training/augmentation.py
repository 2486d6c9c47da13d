"""Augmentation of whole batches on the device."""

from __future__ import annotations

import numpy as np
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
    count, device = len(images), images.device
    places = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator, device=device)
    mirrored = torch.rand((count, 1), generator=generator, device=device) < 0.5
    padded = F.pad(images, [PADDING] * 4)  # (B,C,H+8,W+8)
    cut = cut_one_by_one if device.type == "cpu" else cut_all_at_once
    return cut(padded, places.squeeze(2), mirrored.squeeze(1))


def cut_one_by_one(padded: Tensor, places: Tensor, mirrored: Tensor) -> Tensor:
    """Cut images out of padded ones, as blocks: a third of the time of pixel by pixel on a CPU.

    Args:
        padded: ``(B,C,H+8,W+8)`` on the CPU.
        places: ``(2,B)`` int64, the first row and the first column of each image.
        mirrored: ``(B,)`` bool, whether left and right are exchanged.

    Returns:
        ``(B,C,H,W)`` of the same type, in memory of its own.
    """
    height, width = (side - 2 * PADDING for side in padded.shape[2:])
    source = padded.numpy()
    found = np.empty((*source.shape[:2], height, width), source.dtype)
    chosen = zip(*places.tolist(), mirrored.tolist(), strict=True)
    for image, whole, (top, left, flipped) in zip(found, source, chosen, strict=True):
        block = whole[:, top : top + height, left : left + width]
        image[...] = block[:, :, ::-1] if flipped else block
    return torch.from_numpy(found)


def cut_all_at_once(padded: Tensor, places: Tensor, mirrored: Tensor) -> Tensor:
    """What :func:`cut_one_by_one` gives, on any device, without leaving it."""
    height, width = (side - 2 * PADDING for side in padded.shape[2:])
    device = padded.device
    rows = places[0, :, None] + torch.arange(height, device=device)  # (B,H)
    columns = torch.arange(width, device=device)
    columns = torch.where(mirrored[:, None], width - 1 - columns, columns)  # (B,W)
    columns = places[1, :, None] + columns
    batch = torch.arange(len(padded), device=device)[:, None, None]
    pixels = padded.permute(0, 2, 3, 1)  # (B,H+8,W+8,C)
    return pixels[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

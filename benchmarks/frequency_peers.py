"""The radial split as the authors compute it, as one writes it first, and a copy as the floor."""

from __future__ import annotations

import numpy as np
import torch

from hfcbench.frequency.batches import Parts


def distances(height: int, width: int) -> np.ndarray:
    rows, columns = np.arange(height) - height // 2, np.arange(width) - width // 2
    return np.hypot(rows[:, None], columns[None, :])


def authors_loop(images: np.ndarray, radii: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """A transform for each image, channel, radius and component, in NumPy (float64 inside)."""
    distance = distances(*images.shape[-2:])
    parts = []
    for radius in radii:
        low, high = np.zeros_like(images), np.zeros_like(images)
        for mask, component in ((distance < radius, low), (distance >= radius, high)):
            for index in range(len(images)):
                for channel in range(images.shape[1]):
                    spectrum = np.fft.fftshift(np.fft.fft2(images[index, channel]))
                    back = np.fft.ifft2(np.fft.ifftshift(spectrum * mask))
                    component[index, channel] = np.real(back)
        parts.append((low, high))
    return parts


def straightforward(images: torch.Tensor, radii: tuple[int, ...]) -> list[Parts]:
    """What one writes first: whole batch, complex transforms, each component on its own."""
    return [(part_of(images, radius, 0), part_of(images, radius, 1)) for radius in radii]


def part_of(images: torch.Tensor, radius: int, part: int) -> torch.Tensor:
    """The low (0) or the high (1) part of a batch."""
    axes = (-2, -1)
    distance = torch.from_numpy(distances(*images.shape[-2:])).to(images.device)
    mask = (distance < radius if part == 0 else distance >= radius).float()
    spectrum = torch.fft.fftshift(torch.fft.fft2(images), dim=axes)
    return torch.fft.ifft2(torch.fft.ifftshift(spectrum * mask, dim=axes)).real


def copy(images: torch.Tensor, outputs: list[Parts]) -> None:
    """The floor: read the images, write every output once."""
    for low, high in outputs:
        low.copy_(images)
        high.copy_(images)

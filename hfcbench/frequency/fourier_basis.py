"""Images of a single frequency, and noise that is confined to a ring of frequencies."""

from __future__ import annotations

import torch
from torch import Tensor

from hfcbench.frequency.masks import band_mask


def basis_images(
    height: int, width: int, frequencies: Tensor, device: torch.device | str = "cpu"
) -> Tensor:
    """Real images whose spectrum is one frequency and its mirror image.

    Args:
        height, width: in pixels.
        frequencies: ``(K,2)`` whole cycles per image, vertical and horizontal.

    Returns:
        ``(K,H,W)`` float32 of unit L2 norm; ``cos(2 pi u) + sin(2 pi u)`` up to a factor, with
        ``u = i * row / H + j * column / W``.

    Source: Yin et al. 2019, section 2.2. Deviations: the phase, which they leave open, is 45
    degrees, at which no frequency vanishes.
    """
    rows = torch.arange(height, dtype=torch.float64) / height
    columns = torch.arange(width, dtype=torch.float64) / width
    cycles = frequencies.to("cpu", torch.float64)
    turns = (
        cycles[:, 0, None, None] * rows[None, :, None]
        + cycles[:, 1, None, None] * columns[None, None, :]
    )  # (K,H,W)
    waves = torch.cos(2 * torch.pi * turns) + torch.sin(2 * torch.pi * turns)
    return (waves / waves.square().sum((1, 2), keepdim=True).sqrt()).float().to(device)


def half_plane(height: int, width: int) -> Tensor:
    """One of each pair of mirrored frequencies: ``(K,2)`` int64, vertical and horizontal.

    With their mirror images they are all that images of this size have; DC is one of them.
    """
    chosen = [
        (i, j)
        for i in range(-(height // 2), (height + 1) // 2)
        for j in range(-(width // 2), (width + 1) // 2)
        if (i, j) >= _mirror(i, j, height, width)
    ]
    return torch.tensor(chosen)


def mirrored(frequencies: Tensor, height: int, width: int) -> Tensor:
    """The frequency ``(K,2)`` that each one's mirror image is stored under."""
    pairs = [_mirror(int(i), int(j), height, width) for i, j in frequencies.tolist()]
    return torch.tensor(pairs)


def band_noise(
    shape: tuple[int, int, int, int], inner: float, outer: float, generator: torch.Generator
) -> Tensor:
    """Gaussian noise of frequencies in a ring, of standard deviation 1 in expectation.

    Args:
        shape: ``(N,C,H,W)``; every image and channel has noise of its own.
        inner, outer: ``inner <= distance from DC < outer``, in cycles per image.
        generator: decides the noise and where it lies.

    Returns:
        ``(N,C,H,W)`` float32.
    """
    noise = torch.randn(shape, generator=generator, device=generator.device)
    mask = torch.from_numpy(band_mask(shape[2], shape[3], inner, outer))
    kept = torch.fft.ifftshift(mask.float()).to(generator.device)
    filtered: Tensor = torch.fft.ifft2(torch.fft.fft2(noise) * kept).real
    # White noise has equal energy everywhere: the share of frequencies is the share of variance.
    scaled: Tensor = filtered / kept.square().mean().sqrt()
    return scaled


def _mirror(i: int, j: int, height: int, width: int) -> tuple[int, int]:
    # Of even sizes, the frequency of half the size is its own mirror image.
    vertical = i if 2 * i == -height else -i
    horizontal = j if 2 * j == -width else -j
    return vertical, horizontal

"""Where in the spectrum the energy of images or kernels lies."""

from __future__ import annotations

import torch
from torch import Tensor

from hfcbench.frequency.masks import euclidean_distances


def ring_energies(images: Tensor) -> Tensor:
    """Spectral energy by distance from DC, summed over channels.

    Args:
        images: ``(N,C,H,W)`` floating point.

    Returns:
        ``(N,R)``: ``|F|^2`` of the frequencies with ``r <= distance < r + 1`` cycles per image, for
        ``r`` from 0 to the corner.
    """
    energy = torch.fft.fftshift(torch.fft.fft2(images.float()), dim=(2, 3)).abs().square().sum(1)
    distances = torch.from_numpy(euclidean_distances(images.shape[2], images.shape[3]))
    rings = distances.to(images.device).floor().long()
    total = energy.new_zeros(len(images), int(rings.max()) + 1)
    summed: Tensor = total.index_add_(1, rings.flatten(), energy.flatten(1))
    return summed


def energy_beyond(kernels: Tensor, radii: Tensor, padding: int) -> Tensor:
    """The share of each filter's spectral energy at and beyond relative frequencies.

    Args:
        kernels: ``(O,I,kH,kW)``, zero-padded to squares so that those of any size compare.
        radii: ``(R,)`` relative frequencies; 1 is the Nyquist frequency along an axis.
        padding: pixels of the square, at least the kernels' size.

    Returns:
        ``(O,R)`` energies, to be divided by the column of radius 0 (or their sums by its sum).
    """
    spectrum = torch.fft.fft2(kernels.float(), s=(padding, padding)).abs().square().sum(1)
    energy = torch.fft.fftshift(spectrum, dim=(1, 2))  # (O,P,P)
    distances = torch.from_numpy(euclidean_distances(padding, padding)).to(kernels.device)
    relative = distances.float() / (padding / 2)
    inside = (relative[None] >= radii[:, None, None] - 1e-6).float()  # (R,P,P)
    return torch.einsum("oyx,ryx->or", energy, inside)

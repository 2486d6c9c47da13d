"""Counting errors under noise of every frequency."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hfcbench.analyses.subjects import batches, wrong
from hfcbench.devices import generator_for
from hfcbench.frequency.fourier_basis import basis_images, half_plane, mirrored
from hfcbench.frequency.masks import euclidean_distances
from hfcbench.quantities import Subject


def error_counts(subject: Subject, norm: float, at_once: int = 8) -> tuple[int, NDArray[np.int64]]:
    """Images that the model gets wrong: clean ones, and under noise of each frequency ``(H,W)``.

    Args:
        norm: L2 norm of the noise in each channel.
        at_once: frequencies in one forward pass; changes no result.
    """
    _, channels, height, width = subject.images.images.shape
    frequencies = half_plane(height, width)
    counts = torch.zeros(len(frequencies), dtype=torch.long, device=subject.device)
    clean = 0
    # Drawn for all images at once, so that signs do not depend on how images are batched.
    signs = _signs(subject, len(frequencies), channels)
    first = 0
    for images, labels in batches(subject, max(1, 512 // at_once)):
        clean += int(wrong(subject, images, labels).sum())
        drawn = signs[:, first : first + len(labels)]
        first += len(labels)
        for start in range(0, len(frequencies), at_once):
            place = slice(start, start + at_once)
            waves = norm * basis_images(height, width, frequencies[place], subject.device)
            noise = drawn[place].float()[..., None, None] * waves[:, None, None]  # (K,B,C,H,W)
            noisy = (images + noise).clamp_(0, 1).flatten(0, 1)  # (K*B,C,H,W)
            mistakes = wrong(subject, noisy, labels.repeat(len(waves)))
            counts[place] += mistakes.view(len(waves), -1).sum(1)
    return clean, _laid_out(counts.cpu(), frequencies, height, width)


def ring_means(values: NDArray[Any]) -> NDArray[np.float64]:
    """Means ``(R,)`` of ``(H,W)`` over the frequencies with ``r <= distance from DC < r + 1``."""
    rings = np.floor(euclidean_distances(*values.shape)).astype(np.int64).ravel()
    return np.bincount(rings, values.ravel()) / np.bincount(rings)


def _signs(subject: Subject, frequencies: int, channels: int) -> torch.Tensor:
    """+1 or -1 ``(K,N,C)`` int8 for every frequency, image and channel."""
    generator = generator_for(torch.device("cpu"), subject.seed, "fourier-heat-map")
    shape = (frequencies, len(subject.images), channels)
    ones = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8)
    return (2 * ones - 1).to(subject.device)


def _laid_out(
    counts: torch.Tensor, frequencies: torch.Tensor, height: int, width: int
) -> NDArray[np.int64]:
    centre = torch.tensor([height // 2, width // 2])
    found = torch.zeros(height, width, dtype=torch.long)
    for places in (frequencies, mirrored(frequencies, height, width)):
        rows, columns = (places + centre).unbind(1)
        found[rows, columns] = counts
    return found.numpy()

"""Counting right answers under noise of octaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hfcbench.analyses.subjects import batches, wrong
from hfcbench.devices import generator_for
from hfcbench.frequency.fourier_basis import band_noise
from hfcbench.quantities import Subject


def octaves(height: int, width: int) -> list[tuple[float, float]]:
    """``(inner, outer)`` in cycles per image, each twice the one before, up to Nyquist's."""
    outer = min(height, width) / 2
    bands = []
    while outer / 2 >= 0.5:
        bands.append((outer / 2, outer))
        outer /= 2
    # The first frequency above DC is 1: an octave without any has no noise.
    return [band for band in reversed(bands) if band[1] > 1]


def correct_counts(
    subject: Subject, bands: Sequence[tuple[float, float]], deviations: Sequence[float]
) -> tuple[int, NDArray[np.int64]]:
    """Images that the model gets right: clean ones, and ``(deviations, bands)`` under noise."""
    counts = np.zeros((len(deviations), len(bands)), dtype=np.int64)
    clean = 0
    # On the CPU and image by image in order, so that batches do not decide the noise.
    generators = [
        generator_for(torch.device("cpu"), subject.seed, "critical-band", number)
        for number in range(len(bands))
    ]
    for images, labels in batches(subject):
        clean += int((~wrong(subject, images, labels)).sum())
        shape = (len(images), *images.shape[1:])
        for column, (band, generator) in enumerate(zip(bands, generators, strict=True)):
            noise = torch.cat(
                [band_noise((1, *shape[1:]), *band, generator) for _ in range(len(images))]
            ).to(subject.device)
            for row, deviation in enumerate(deviations):
                noisy = (images + deviation * noise).clamp_(0, 1)
                counts[row, column] += int((~wrong(subject, noisy, labels)).sum())
    return clean, counts

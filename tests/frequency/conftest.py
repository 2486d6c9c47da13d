"""The paper's definition, written out in NumPy for one channel at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest


def split_by_definition(image: np.ndarray, keep: Callable[[int, int], float]) -> np.ndarray:
    """The low part of one channel ``(H,W)``: explicit loops, complex spectrum, real part.

    ``keep`` is told the vertical and horizontal distance to the DC term.
    """
    height, width = image.shape
    spectrum = np.fft.fftshift(np.fft.fft2(image.astype(np.float64)))
    for row in range(height):
        for column in range(width):
            spectrum[row, column] *= keep(row - height // 2, column - width // 2)
    return np.fft.ifft2(np.fft.ifftshift(spectrum)).real


@pytest.fixture(scope="session")
def definition() -> Callable[[np.ndarray, Callable[[int, int], float]], np.ndarray]:
    def split_batch(images: np.ndarray, keep: Callable[[int, int], float]) -> np.ndarray:
        flat = images.reshape(-1, *images.shape[-2:])
        return np.stack([split_by_definition(image, keep) for image in flat]).reshape(images.shape)

    return split_batch

"""The radial split beside the authors' way, the straightforward way, and a copy as the floor.

All contenders make both components at every radius, and their results are compared before they are
timed. The authors' loop is timed on a few images and scaled to all of them: its time is
proportional to their number.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.frequency.batches import Parts, allocate
from hfcbench.frequency.fourier import split_radial

CASES = {
    "10000x3x32x32": ((10_000, 3, 32, 32), (4, 8, 12, 16), 40, 5),
    "200x3x224x224": ((200, 3, 224, 224), (16, 32, 64, 112), 2, 5),
}
GOALS = {
    "10000x3x32x32": {"loop": "at least 80", "torch": "at least 10", "copy": "at least 1/6 = 0.17"},
    "200x3x224x224": {"loop": "at least 20", "torch": "at least 8"},
}


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
    distance = torch.from_numpy(distances(*images.shape[-2:]))
    axes = (-2, -1)
    parts = []
    for radius in radii:
        pair = []
        for mask in ((distance < radius).float(), (distance >= radius).float()):
            spectrum = torch.fft.fftshift(torch.fft.fft2(images), dim=axes)
            pair.append(torch.fft.ifft2(torch.fft.ifftshift(spectrum * mask, dim=axes)).real)
        parts.append((pair[0], pair[1]))
    return parts


def copy(images: torch.Tensor, outputs: list[Parts]) -> None:
    """The floor: read the images, write every output once."""
    for low, high in outputs:
        low.copy_(images)
        high.copy_(images)


@pytest.mark.parametrize("case", CASES)
def test_radial_split(benchmark, compare, case):
    shape, radii, loop_images, rounds = CASES[case]
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    few = images[:loop_images]
    outputs = allocate(images, len(radii))

    ours = split_radial(few, radii)
    for other in (authors_loop(few.numpy(), radii), straightforward(few, radii)):
        for (low, high), (other_low, other_high) in zip(ours, other, strict=True):
            np.testing.assert_allclose(low, other_low, atol=1e-5)
            np.testing.assert_allclose(high, other_high, atol=1e-5)

    comparison = compare(
        f"radial split, {case}, radii {radii}",
        {
            "hfcbench": lambda: split_radial(images, radii, out=outputs),
            "loop": lambda: authors_loop(few.numpy(), radii),
            "torch": lambda: straightforward(images, radii),
            "copy": lambda: copy(images, outputs),
        },
        rounds=rounds,
        goals=GOALS[case],
        scale={"loop": len(images) / loop_images},
    )
    benchmark.extra_info.update({peer: comparison.ratio(peer) for peer in comparison.seconds})
    benchmark.pedantic(split_radial, (images, radii), {"out": outputs}, rounds=3)

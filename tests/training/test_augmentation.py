"""Batched crop and flip, against a loop over images with the same draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.training.augmentation import PADDING, crop_and_flip, flip


def by_loop(images: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """Image by image: pad, cut out, mirror."""
    count, _, height, width = images.shape
    places = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator).numpy()
    mirrored = torch.rand((count, 1), generator=generator).numpy() < 0.5
    results = []
    draws = zip(images, places[0, :, 0], places[1, :, 0], mirrored[:, 0], strict=True)
    for image, top, left, mirror in draws:
        padded = np.pad(image, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
        crop = padded[:, top : top + height, left : left + width]
        results.append(crop[:, :, ::-1] if mirror else crop)
    return np.stack(results)


@pytest.mark.parametrize("shape", [(40, 3, 8, 8), (30, 1, 5, 7), (1, 2, 9, 4)])
def test_batches_are_augmented_as_a_loop_over_images_does_it(shape):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    result = crop_and_flip(images, torch.Generator().manual_seed(1))
    np.testing.assert_array_equal(
        result.numpy(), by_loop(images.numpy(), torch.Generator().manual_seed(1))
    )
    assert torch.equal(images, before)


def test_every_place_occurs_and_half_of_the_images_are_mirrored():
    marked = torch.zeros(4000, 1, 17, 17)
    marked[:, :, 8, 8] = 1  # stays inside wherever it is cut out
    marked[:, :, 8, 9] = 2  # its right neighbour
    result = crop_and_flip(marked, torch.Generator().manual_seed(0))[:, 0]
    _, rows, columns = torch.where(result == 1)
    _, _, neighbours = torch.where(result == 2)
    mirrored = neighbours < columns
    assert set(rows.tolist()) == set(range(4, 13))
    assert set(columns.tolist()) == set(range(4, 13))
    # Five standard deviations of 4000 draws.
    assert abs(float(mirrored.float().mean()) - 0.5) < 0.04
    assert torch.bincount(rows)[4:].min() > 4000 / 9 - 100


def test_pixels_may_be_augmented_before_they_are_converted():
    pixels = torch.randint(0, 256, (20, 3, 6, 6), dtype=torch.uint8)
    before, after = (
        crop_and_flip(images, torch.Generator().manual_seed(0))
        for images in (pixels, pixels.float() / 255)
    )
    assert before.dtype == torch.uint8
    assert torch.equal(before.float() / 255, after)


def test_the_generator_decides():
    images = torch.rand(8, 1, 6, 6)
    first, again, other = (
        crop_and_flip(images, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_flipping_alone_mirrors_half_of_the_images_and_moves_nothing():
    images = torch.rand(2000, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    result = flip(images, torch.Generator().manual_seed(1))
    drawn = torch.rand(2000, generator=torch.Generator().manual_seed(1)) < 0.5
    expected = np.stack(
        [
            image[:, :, ::-1] if mirror else image
            for image, mirror in zip(images.numpy(), drawn, strict=True)
        ]
    )
    np.testing.assert_array_equal(result.numpy(), expected)
    # Five standard deviations of 2000 draws.
    assert abs(float(drawn.float().mean()) - 0.5) < 0.06

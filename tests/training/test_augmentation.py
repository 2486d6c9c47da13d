"""Batched crop and flip, against a loop over images."""

from __future__ import annotations

import numpy as np
import torch

from hfcbench.training.augmentation import PADDING, crop_and_flip


def all_versions(image: np.ndarray) -> list[np.ndarray]:
    """Every crop of the padded image, plain and mirrored."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    crops = [
        padded[:, top : top + height, left : left + width]
        for top in range(2 * PADDING + 1)
        for left in range(2 * PADDING + 1)
    ]
    return crops + [crop[:, :, ::-1] for crop in crops]


def test_every_result_is_a_crop_of_its_own_image_and_all_kinds_occur():
    images = torch.rand(40, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    original = images.clone()
    result = crop_and_flip(images, torch.Generator().manual_seed(1))

    assert result.shape == images.shape
    assert torch.equal(images, original)
    kinds = set()
    for image, augmented in zip(images.numpy(), result.numpy(), strict=True):
        matches = [
            number
            for number, version in enumerate(all_versions(image))
            if np.array_equal(version, augmented)
        ]
        assert matches
        kinds.add(matches[0])
    crops = (2 * PADDING + 1) ** 2
    assert len(kinds) > 20
    assert 5 < sum(kind >= crops for kind in kinds) < len(kinds) - 5


def test_the_generator_decides():
    images = torch.rand(8, 1, 6, 6)
    first, again, other = (
        crop_and_flip(images, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)

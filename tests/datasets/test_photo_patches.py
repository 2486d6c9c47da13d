"""photo-patches: disjoint splits, deterministic, really from the photographs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from hfcbench.datasets.photo_patches import PHOTOGRAPHS, TILE, PhotoPatches
from hfcbench.types import DataLocation

SMALL = PhotoPatches(train_per_class=40, test_per_class=15)


def split(dataset: PhotoPatches, name: str) -> tuple[np.ndarray, np.ndarray]:
    chunks = list(dataset.read(DataLocation(), name))
    return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])


def test_sizes_and_labels_are_as_described():
    description = SMALL.describe(DataLocation())
    for name, count in description.sizes.items():
        images, labels = split(SMALL, name)
        assert images.shape == (count, 3, 32, 32)
        assert images.dtype == np.uint8
        assert np.bincount(labels).tolist() == [count // 10] * 10
    assert description.classes == PHOTOGRAPHS


def test_the_same_patches_come_every_time_and_others_with_another_seed():
    first, again = split(SMALL, "train")[0], split(SMALL, "train")[0]
    other = split(PhotoPatches(train_per_class=40, test_per_class=15, seed=1), "train")[0]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def places(photograph: np.ndarray, patches: np.ndarray) -> list[tuple[int, int]]:
    """Where each patch lies in its photograph, by exhaustive search for exact equality."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph[..., 0], (32, 32))
    found = []
    for patch in patches:
        candidates = np.argwhere(windows[..., 0, 0] == patch[0, 0, 0])
        match = next(
            (int(top), int(left))
            for top, left in candidates
            if np.array_equal(
                photograph[top : top + 32, left : left + 32].transpose(2, 0, 1), patch
            )
        )
        found.append(match)
    return found


@pytest.mark.parametrize("label", [0, 5])
def test_no_pixel_is_in_both_splits(label):
    photograph = getattr(data, PHOTOGRAPHS[label])()
    if photograph.ndim == 2:
        photograph = np.repeat(photograph[..., None], 3, axis=2)
    covered = {}
    for name in ("train", "test"):
        images, labels = split(SMALL, name)
        covered[name] = np.zeros(photograph.shape[:2], dtype=bool)
        for top, left in places(photograph, images[labels == label]):
            assert top // TILE == (top + 31) // TILE
            covered[name][top : top + 32, left : left + 32] = True
    assert covered["train"].any()
    assert covered["test"].any()
    assert not (covered["train"] & covered["test"]).any()


def test_every_photograph_is_in_the_wheel():
    for name in PHOTOGRAPHS:
        path = f"{data.__path__[0]}/{name}.png"
        with Image.open(path) as image:
            assert min(image.size) >= 2 * TILE

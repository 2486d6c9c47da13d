"""Resizing against Pillow itself, which is what detectron2 calls."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hfcbench_detectron2.resizing import resize, to_levels
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image


def by_pillow(pixels, height, width):
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image))


@settings(max_examples=60, deadline=None)
@given(
    old=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    new=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    seed=st.integers(0, 2**32 - 1),
    extreme=st.booleans(),
)
def test_originals_are_resized_as_by_pillow_bit_by_bit(old, new, seed, extreme):
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 256, (*old, 3), dtype=np.uint8)
    if extreme:
        pixels = (pixels // 128) * 255
    images = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    found = resize(to_levels(images), *new)
    assert torch.equal(found, by_pillow(pixels, *new).permute(2, 0, 1).double())


def test_a_photograph_at_the_size_of_the_model_zoo():
    skimage_data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    pixels = skimage_data.astronaut()[:480]
    images = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    assert torch.equal(
        resize(to_levels(images), 800, 853),
        by_pillow(pixels, 800, 853).permute(2, 0, 1).double(),
    )


def test_components_go_the_same_way_without_being_clipped():
    pixels = torch.randint(0, 256, (3, 20, 30), dtype=torch.float64)
    moved = resize(to_levels(((pixels - 300) / 255).float()), 33, 41)
    assert torch.equal(moved + 300, resize(to_levels((pixels / 255).float()), 33, 41))
    assert moved.min() < -100


def test_components_add_up_to_the_original_up_to_rounding():
    torch.manual_seed(0)
    original = torch.randint(0, 256, (3, 24, 24)).float() / 255
    low = torch.nn.functional.avg_pool2d(original, 5, 1, 2)
    sizes = 40, 40
    apart = resize(to_levels(low), *sizes) + resize(to_levels(original - low), *sizes)
    # Each is rounded twice, by half a level at most.
    assert (apart - resize(to_levels(original), *sizes)).abs().max() <= 3
    assert torch.equal(to_levels(original), (original * 255).round().double())


def test_nothing_happens_where_the_size_is_right():
    levels = to_levels(torch.rand(2, 3, 9, 8))
    assert torch.equal(resize(levels, 9, 8), levels)
    assert ((levels - levels.round()).abs() > 0.01).any()

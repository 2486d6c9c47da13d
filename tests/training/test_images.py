"""Training images are the same wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.training import images as module
from hfcbench.training.images import TrainingImages, in_unit_range
from hfcbench.types import ImageSplit

CPU = torch.device("cpu")


@dataclass(frozen=True)
class RowMeans:
    """The low part repeats the mean of each row."""

    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        low = images.mean(dim=3, keepdim=True).expand_as(images)
        return [(low, images - low) for _ in cutoffs]


@pytest.fixture
def split(tmp_path) -> ImageSplit:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (1100, 2, 4, 6), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    return ImageSplit(mapped, np.zeros(1100, dtype=np.int64))


def collected(images: TrainingImages, order: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
    batches = list(images.batches(order, 200))
    assert torch.equal(torch.cat([positions for _, positions in batches]), order)
    return torch.cat([pixels for pixels, _ in batches]), [len(pixels) for pixels, _ in batches]


@pytest.mark.parametrize("resident", [True, False])
def test_originals_come_in_order_as_pixels(split, resident):
    order = torch.randperm(1100)
    pixels, sizes = collected(TrainingImages(split, ORIGINAL, CPU, resident=resident), order)
    assert pixels.dtype == torch.uint8
    assert sizes == [200] * 5 + [100]
    np.testing.assert_array_equal(pixels.numpy(), split.images[order.numpy()])


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize(("part", "rescaling"), [(0, "none"), (1, "none"), (0, "max"), (1, "max")])
def test_components_are_those_of_each_image(split, resident, part, rescaling):
    component = Component(RowMeans(), part, 1.0, rescaling)
    order = torch.randperm(1100)
    values, _ = collected(TrainingImages(split, component, CPU, resident=resident), order)

    images = split.images[order.numpy()].astype(np.float64) / 255
    low = images.mean(axis=3, keepdims=True) + np.zeros_like(images)
    expected = images - low if part else low
    if rescaling == "max":
        expected /= expected.max(axis=(1, 2, 3), keepdims=True)
    assert values.dtype == torch.float32
    np.testing.assert_allclose(values.numpy(), expected, atol=1e-5)


def test_what_does_not_fit_stays_on_disk(split, monkeypatch):
    order, component = torch.arange(1100), Component(RowMeans(), 0, 1.0)
    fitting = TrainingImages(split, component, CPU)
    # Originals of 52,800 bytes, components four times as large.
    monkeypatch.setattr(module, "_memory_bytes", lambda device: 2.5 * 52_800)
    pixels = TrainingImages(split, ORIGINAL, CPU)
    streamed = TrainingImages(split, component, CPU)
    assert [images._resident is None for images in (fitting, pixels, streamed)] == [
        False,
        False,
        True,
    ]
    assert torch.equal(collected(fitting, order)[0], collected(streamed, order)[0])


def test_a_device_that_is_full_gets_batches(split, monkeypatch):
    def full(self):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TrainingImages, "_load", full)
    pixels, _ = collected(TrainingImages(split, ORIGINAL, CPU), torch.arange(1100))
    np.testing.assert_array_equal(pixels.numpy(), split.images)


def test_pixels_become_numbers_up_to_one():
    assert in_unit_range(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == [
        0,
        pytest.approx(0.2),
        1,
    ]
    values = torch.tensor([-0.5, 300.0])
    assert in_unit_range(values) is values

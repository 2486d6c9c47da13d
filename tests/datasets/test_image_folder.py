"""image-folder: one's own files, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hfcbench.datasets.image_folder import ImageFolder
from hfcbench.errors import DataError
from hfcbench.types import DataLocation, ImageShape


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 2)):
        for name in ("cat", "dog"):
            place = tmp_path / "own" / split / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 256, (10, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.png")
    return tmp_path / "own"


def read(dataset: ImageFolder, location: DataLocation, split: str):
    dataset.prepare(location)
    ((pixels, labels),) = dataset.read(location, split)
    return pixels, labels


def test_images_come_by_class_and_name(folder):
    dataset, location = ImageFolder("own"), DataLocation(folder.parent)
    description = dataset.describe(location)
    pixels, labels = read(dataset, location, "test")

    assert description.classes == ("cat", "dog")
    assert description.shape == ImageShape(3, 10, 12)
    assert description.sizes == {"train": 6, "test": 4}
    assert labels.tolist() == [0, 0, 1, 1]
    with Image.open(folder / "val" / "dog" / "0.png") as image:
        np.testing.assert_array_equal(pixels[2], np.asarray(image).transpose(2, 0, 1))


def test_size_and_channels_convert(folder):
    dataset = ImageFolder(str(folder), size=8, channels=1)
    pixels, _ = read(dataset, DataLocation(), "train")
    assert pixels.shape == (6, 1, 8, 8)
    assert dataset.describe(DataLocation()).shape == ImageShape(1, 8, 8)


def test_a_changed_file_changes_the_source(folder):
    dataset = ImageFolder(str(folder))
    before = dataset.describe(DataLocation()).source
    Image.new("RGB", (12, 10)).save(folder / "train" / "cat" / "0.png")
    assert dataset.describe(DataLocation()).source != before


def spoil(folder: Path, how: str) -> None:
    target = folder / "train" / "cat" / "1.png"
    if how == "broken":
        target.write_bytes(target.read_bytes()[:60])
    elif how == "size":
        Image.new("RGB", (5, 5)).save(target)
    elif how == "class":
        (folder / "train" / "bird").mkdir()
    elif how == "split":
        (folder / "val").rename(folder / "other")
    else:
        folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("broken", r"1.png cannot be read"),
        ("size", r"1.png is 5x5 pixels, others are 12x10"),
        ("class", r"class 'bird' is not in both"),
        ("split", r"has no folder test or val"),
        ("folder", r"there is no folder"),
    ],
)
def test_what_is_wrong_is_named(folder, how, message):
    spoil(folder, how)
    with pytest.raises(DataError, match=message):
        read(ImageFolder(str(folder)), DataLocation(), "train")

"""image-folder: one's own files, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hfcbench.datasets.image_folder import ImageFolder
from hfcbench.errors import DataError
from hfcbench.image_cache import open_dataset
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


def test_each_kind_of_picture_comes_as_it_looks(folder):
    place = folder / "train" / "cat"
    grey = np.linspace(0, 65535, 120).reshape(10, 12).astype(np.uint16)
    Image.fromarray(grey).save(place / "0.png")
    clear = Image.new("RGBA", (12, 10), (10, 20, 30, 0))
    clear.putpixel((0, 0), (10, 20, 30, 255))
    clear.save(place / "1.png")
    turned = Image.new("L", (10, 12), 7)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(place / "2.png", exif=exif)

    pixels, _ = read(ImageFolder(str(folder)), DataLocation(), "train")
    expected = np.round(grey / 65535 * 255)
    for channel in range(3):
        np.testing.assert_array_equal(pixels[0, channel], expected)
    assert pixels[1, :, 0, 0].tolist() == [10, 20, 30]
    assert (pixels[1, :, 1:] == 255).all()
    assert (pixels[2] == 7).all()


def test_hidden_files_and_folders_are_no_data(folder):
    (folder / "train" / ".thumbnails").mkdir()
    (folder / "train" / "cat" / "._0.png").write_bytes(b"not a picture")
    (folder / "train" / "cat" / "notes.txt").write_text("not a picture")
    dataset = ImageFolder(str(folder))
    assert dataset.describe(DataLocation()).sizes == {"train": 6, "test": 4}
    read(dataset, DataLocation(), "train")


def test_everything_broken_is_named_in_one_message(folder):
    for name in ("train/cat/0.png", "train/dog/2.png", "val/dog/1.png"):
        (folder / name).write_bytes(b"not a picture")
    Image.new("RGB", (5, 5)).save(folder / "train" / "dog" / "0.png")
    dataset = ImageFolder(str(folder))
    with pytest.raises(DataError) as raised:
        read(dataset, DataLocation(), "train")
    message = str(raised.value)
    assert message.startswith("3 of the 10 images")
    for name in ("train/cat/0.png", "train/dog/2.png", "val/dog/1.png"):
        assert f"{name} (not a picture)" in message


def test_it_goes_through_the_cache(folder, tmp_path):
    def opened():
        return open_dataset(
            ImageFolder("own"),
            name="image-folder",
            version="1",
            parameters={"path": "own"},
            location=DataLocation(folder.parent),
            cache_root=tmp_path / "cache",
        )

    before = opened()
    assert before.splits["test"].labels.tolist() == [0, 0, 1, 1]
    Image.new("RGB", (12, 10), "red").save(folder / "val" / "dog" / "0.png")
    after = opened()
    assert after.fingerprint != before.fingerprint
    assert (after.splits["test"].images[2, 0] == 255).all()


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
    elif how == "empty":
        for path in (folder / "val" / "dog").iterdir():
            path.unlink()
    elif how == "class":
        (folder / "train" / "bird").mkdir()
    elif how == "split":
        (folder / "val").rename(folder / "other")
    else:
        folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("broken", r"1 of the 10 images in .* train/cat/1\.png \(.*truncated.*\)"),
        ("size", r"train/cat/1\.png \(5x5 pixels, the first has 12x10\)\n.*size=32"),
        ("empty", r"val/dog holds no images"),
        ("class", r"class 'bird' is not in both"),
        ("split", r"has no folder test or val"),
        ("folder", r"there is no folder"),
    ],
)
def test_what_is_wrong_is_named(folder, how, message):
    spoil(folder, how)
    with pytest.raises(DataError, match=message):
        read(ImageFolder(str(folder)), DataLocation(), "train")

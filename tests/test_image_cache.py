"""The cache decodes once, proves what it holds, and mends itself."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hfcbench.errors import DataError
from hfcbench.image_cache import CachedDataset, open_dataset
from hfcbench.types import DataLocation, DatasetDescription, ImageShape

LOCATION = DataLocation()


@dataclass
class Counting:
    """Twelve training and five test images; counts how often it is decoded."""

    source: str = "one"
    chunk: int = 5
    label: int = 0
    reads: list[str] = field(default_factory=list)

    def prepare(self, location):
        pass

    def describe(self, location):
        sizes = {"train": 12, "test": 5}
        return DatasetDescription(("a", "b"), ImageShape(1, 4, 4), sizes, self.source)

    def read(self, location, split):
        self.reads.append(split)
        count = self.describe(location).sizes[split]
        pixels = np.arange(count * 16, dtype=np.uint8).reshape(count, 1, 4, 4)
        labels = np.arange(count) % 2 + self.label
        for start in range(0, count, self.chunk):
            yield pixels[start : start + self.chunk], labels[start : start + self.chunk]


def opened(dataset: Counting, root: Path, name: str = "counting") -> CachedDataset:
    return open_dataset(
        dataset, name=name, version="1", parameters={}, location=LOCATION, cache_root=root
    )


def folder(root: Path) -> Path:
    (only,) = (path for path in root.iterdir() if not path.name.startswith("."))
    return only


def test_it_is_decoded_once_and_memory_mapped(tmp_path):
    dataset = Counting()
    first, second = opened(dataset, tmp_path), opened(dataset, tmp_path)

    assert dataset.reads == ["train", "test"]
    assert first.fingerprint == second.fingerprint
    assert second.description == dataset.describe(LOCATION)
    images = second.splits["train"].images
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable
    assert images[3, 0].tolist() == np.arange(48, 64).reshape(4, 4).tolist()
    assert second.splits["test"].labels.tolist() == [0, 1, 0, 1, 0]


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    base = opened(Counting(), tmp_path / "a").fingerprint
    assert opened(Counting(source="two", chunk=3), tmp_path / "b").fingerprint == base

    class Brighter(Counting):
        def read(self, location, split):
            for pixels, labels in super().read(location, split):
                yield pixels + np.uint8(1), labels

    assert opened(Brighter(), tmp_path / "c").fingerprint != base


def test_a_changed_source_is_decoded_again(tmp_path):
    dataset = Counting()
    opened(dataset, tmp_path)
    dataset.source = "two"
    opened(dataset, tmp_path)
    assert dataset.reads == ["train", "test"] * 2


def flip_a_byte(cache: Path) -> None:
    path = cache / "train-images.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def cut_in_half(cache: Path) -> None:
    path = cache / "test-images.npy"
    path.write_bytes(path.read_bytes()[:100])


def remove_labels(cache: Path) -> None:
    (cache / "train-labels.npy").unlink()


def remove_manifest(cache: Path) -> None:
    (cache / "manifest.json").unlink()


def spoil_manifest(cache: Path) -> None:
    (cache / "manifest.json").write_text(json.dumps({"files": {}}))


@pytest.mark.parametrize(
    "damage", [flip_a_byte, cut_in_half, remove_labels, remove_manifest, spoil_manifest]
)
def test_damage_is_noticed_and_mended(tmp_path, damage):
    dataset = Counting()
    before = opened(dataset, tmp_path)
    damage(folder(tmp_path))
    after = opened(dataset, tmp_path)

    assert dataset.reads == ["train", "test"] * 2
    assert after.fingerprint == before.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == [folder(tmp_path).name]


def test_an_interrupted_decoding_leaves_no_cache(tmp_path):
    class Interrupted(Counting):
        def read(self, location, split):
            yield from super().read(location, split)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(Interrupted(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def _open_in_process(root: str) -> str:
    return opened(Counting(), Path(root)).fingerprint


def test_processes_that_decode_at_once_agree(tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        fingerprints = pool.map(_open_in_process, [str(tmp_path)] * 6)
    assert len(set(fingerprints)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [folder(tmp_path).name]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Counting(label=1), "labels from 1 to 2 for 2 classes"),
        (type("Short", (Counting,), {"read": lambda *_: iter(())})(), "holds 0 images, 12 were"),
    ],
)
def test_content_that_is_not_as_described_is_refused(tmp_path, dataset, message):
    with pytest.raises(DataError, match=message):
        opened(dataset, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be kept in .*file"):
        opened(Counting(), tmp_path / "file")

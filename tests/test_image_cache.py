"""The cache decodes once, proves what it holds, and mends itself."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tracemalloc
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


def empty_manifest(cache: Path) -> None:
    (cache / "manifest.json").write_text(json.dumps({"files": {}}))


def cut_manifest(cache: Path) -> None:
    path = cache / "manifest.json"
    path.write_text(path.read_text()[:-40])


def flip_the_fingerprint(cache: Path) -> None:
    path = cache / "manifest.json"
    manifest = json.loads(path.read_text())
    content = manifest["content"]
    content["fingerprint"] = content["fingerprint"][::-1]
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_byte,
        cut_in_half,
        remove_labels,
        remove_manifest,
        empty_manifest,
        cut_manifest,
        flip_the_fingerprint,
    ],
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


class Logging(Counting):
    """Notes every decoding in a file that all processes share."""

    def read(self, location, split):
        with Path(self.source).open("a") as log:
            log.write(f"{split}\n")
        yield from super().read(location, split)


def _open_in_process(place: str) -> str:
    return opened(Logging(source=f"{place}/log"), Path(place) / "cache").fingerprint


def test_processes_that_want_it_at_once_decode_it_once(tmp_path):
    (tmp_path / "cache").mkdir()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        fingerprints = pool.map(_open_in_process, [str(tmp_path)] * 6, chunksize=1)
    assert len(set(fingerprints)) == 1
    assert (tmp_path / "log").read_text().split() == ["train", "test"]
    root = tmp_path / "cache"
    assert [path.name for path in root.iterdir()] == [folder(root).name]


class Killed(Counting):
    def read(self, location, split):
        chunks = super().read(location, split)
        yield next(chunks)
        os.kill(os.getpid(), signal.SIGKILL)


def _open_and_be_killed(place: str) -> None:
    opened(Killed(), Path(place))


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=_open_and_be_killed, args=[str(tmp_path)]
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert any(tmp_path.glob(".counting-*/train-images.npy"))

    opened(Counting(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder(tmp_path).name]


def test_a_full_disk_is_one_message_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(
            DataError, match=r"counting cannot be kept in .*File too large"
        ) as raised:
            opened(Counting(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "--cache-dir" in str(raised.value.hint)
    assert list(tmp_path.iterdir()) == []


def test_trouble_with_the_datasets_own_files_is_not_blamed_on_the_cache(tmp_path):
    class Unreadable(Counting):
        def read(self, location, split):
            raise PermissionError(13, "Permission denied", "picture.png")
            yield

    with pytest.raises(DataError, match=r"train images of counting cannot be read.*picture\.png"):
        opened(Unreadable(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_memory_holds_a_chunk_and_not_the_dataset(tmp_path):
    size, chunks, chunk = 64, 80, 50

    class Large(Counting):
        def describe(self, location):
            sizes = {"train": chunks * chunk, "test": chunk}
            return DatasetDescription(("a",), ImageShape(3, size, size), sizes, self.source)

        def read(self, location, split):
            for _ in range(chunks if split == "train" else 1):
                yield np.ones((chunk, 3, size, size), np.uint8), np.zeros(chunk, np.int64)

    tracemalloc.start()
    try:
        opened(Large(), tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The dataset is 47 MiB, a piece of the fingerprint 4.
    assert peak < 10 * 2**20


def test_a_split_may_be_empty(tmp_path):
    class NoTest(Counting):
        def describe(self, location):
            shape = ImageShape(1, 4, 4)
            return DatasetDescription(("a", "b"), shape, {"train": 12, "test": 0}, self.source)

    test = opened(NoTest(), tmp_path).splits["test"]
    assert test.images.shape == (0, 1, 4, 4)
    assert len(test) == 0


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Counting(label=1), "labels from 1 to 2 for 2 classes"),
        (Counting(label=0.5), "float64 labels"),
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

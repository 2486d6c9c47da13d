"""Published datasets in their own file formats, made small here or real where they are at hand."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import shlex
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets

from hfcbench.datasets.torchvision_sets import Cifar10, Cifar100, FashionMnist, Mnist
from hfcbench.errors import DataError
from hfcbench.types import DataLocation

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"


def write_idx(folder: Path) -> dict[str, np.ndarray]:
    """MNIST's format: a header of big-endian numbers, then bytes."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    arrays = {}
    for prefix, count in (("train", 7), ("t10k", 4)):
        images = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = draw.integers(0, 10, count, dtype=np.uint8)
        header = struct.pack(">4I", 2051, count, 28, 28)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = struct.pack(">2I", 2049, count)
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
        arrays[prefix] = images, labels
    return arrays


@pytest.mark.parametrize(
    ("dataset", "folder"), [(Mnist(), "MNIST"), (FashionMnist(), "FashionMNIST")]
)
def test_idx_files_are_read(tmp_path, dataset, folder):
    arrays = write_idx(tmp_path / folder / "raw")
    location = DataLocation(tmp_path)
    dataset.prepare(location)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        ((pixels, labels),) = dataset.read(location, split)
        np.testing.assert_array_equal(pixels[:, 0], arrays[prefix][0])
        np.testing.assert_array_equal(labels, arrays[prefix][1])
        assert pixels.dtype == np.uint8
        assert labels.dtype == np.int64


def write_batch(path: Path, count: int, key: str, seed: int) -> tuple[np.ndarray, list[int]]:
    """CIFAR's format: a pickled mapping with rows of 3072 bytes, channels first."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(0, 256, (count, 3072), dtype=np.uint8)
    labels = draw.integers(0, 10, count).tolist()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps({"data": rows, key: labels}))
    return rows, labels


def with_hashes_of(folder: Path, reader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torchvision's integrity check expect the small files of this test."""

    def md5(name: str) -> str:
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(reader, attribute)]
        monkeypatch.setattr(reader, attribute, [[name, md5(name)] for name in names])
    meta = {**reader.meta, "md5": md5(reader.meta["filename"])}
    monkeypatch.setattr(reader, "meta", meta)


def test_cifar10_batches_are_read(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    batches = [write_batch(folder / f"data_batch_{n}", 3, "labels", n) for n in range(1, 6)]
    test_rows, test_labels = write_batch(folder / "test_batch", 4, "labels", 9)
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(Cifar10.classes)}))
    with_hashes_of(folder, torchvision.datasets.CIFAR10, monkeypatch)

    location = DataLocation(tmp_path)
    Cifar10().prepare(location)
    ((pixels, labels),) = Cifar10().read(location, "train")
    np.testing.assert_array_equal(pixels.reshape(15, -1), np.vstack([rows for rows, _ in batches]))
    assert labels.tolist() == [label for _, batch in batches for label in batch]
    ((pixels, labels),) = Cifar10().read(location, "test")
    np.testing.assert_array_equal(pixels.reshape(4, -1), test_rows)
    assert labels.tolist() == test_labels


def test_cifar100_uses_the_fine_labels(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-100-python"
    for name, count in (("train", 5), ("test", 4)):
        rows, labels = write_batch(folder / name, count, "fine_labels", count)
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": list(Cifar100.classes)}))
    with_hashes_of(folder, torchvision.datasets.CIFAR100, monkeypatch)

    ((pixels, read_labels),) = Cifar100().read(DataLocation(tmp_path), "test")
    np.testing.assert_array_equal(pixels.reshape(4, -1), rows)
    assert read_labels.tolist() == labels
    assert len(set(Cifar100.classes)) == 100
    assert sorted(Cifar100.classes) == list(Cifar100.classes)


def test_missing_files_come_with_the_command_that_gets_them(tmp_path):
    with pytest.raises(DataError) as raised:
        Mnist().prepare(DataLocation())
    assert raised.value.hint == "hfcbench run --dataset mnist --data-root DIR --download"
    with pytest.raises(DataError) as raised:
        Cifar10().prepare(DataLocation(tmp_path))
    assert f"--data-root {tmp_path} --download" in str(raised.value)


def test_the_command_can_be_pasted_whatever_the_folder_is_called(tmp_path):
    root = tmp_path / "my data"
    with pytest.raises(DataError) as raised:
        Mnist().prepare(DataLocation(root))
    command = shlex.split(str(raised.value.hint))
    assert command[command.index("--data-root") + 1] == str(root)


def test_archives_that_lie_there_are_unpacked_without_a_download(tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    arrays = write_idx(raw)
    resources = []
    for path in sorted(raw.iterdir()):
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        resources.append((packed.name, hashlib.md5(packed.read_bytes()).hexdigest()))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])

    with pytest.raises(DataError, match="is missing"):
        Mnist().prepare(DataLocation(tmp_path))
    location = DataLocation(tmp_path, download=True)
    Mnist().prepare(location)
    ((pixels, _),) = Mnist().read(location, "test")
    np.testing.assert_array_equal(pixels[:, 0], arrays["t10k"][0])


def test_a_failed_download_is_one_message(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError, match=r"mnist cannot be downloaded to .*"):
        Mnist().prepare(DataLocation(tmp_path / "new", download=True))


def test_replaced_files_are_noticed(tmp_path):
    write_idx(tmp_path / "MNIST" / "raw")
    location = DataLocation(tmp_path)
    before = Mnist().describe(location)
    path = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert Mnist().describe(location).source != before.source
    with pytest.raises(DataError, match="mnist in"):
        list(Mnist().read(location, "test"))


def test_damaged_files_are_named(tmp_path):
    write_idx(tmp_path / "MNIST" / "raw")
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"mnist in .* cannot be read"):
        list(Mnist().read(DataLocation(tmp_path), "train"))


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real datasets are not at hand")
def test_the_real_mnist_is_read(tmp_path):
    subprocess.run(["bash", REAL_DATA / "unpack.sh", tmp_path, "mnist"], check=True)
    root = next(path.parent.parent for path in tmp_path.rglob("raw"))
    ((pixels, labels),) = Mnist().read(DataLocation(root), "test")
    assert pixels.shape == (10_000, 1, 28, 28)
    # The published class counts of the test set.
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(labels).tolist() == counts

"""Every other door that a pickle could come in by: CIFAR's files, MNIST's, timm's, the cache's."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct

import numpy as np
import pytest
import timm
import torch
import torchvision.datasets
from huggingface_hub.utils import EntryNotFoundError

from hfcbench.datasets.torchvision_sets import Cifar10, Cifar100, Mnist
from hfcbench.errors import DataError, NodeError, SpecificationError
from hfcbench.image_cache import open_dataset
from hfcbench.models.timm import Timm
from hfcbench.training.checkpoints import load_checkpoint
from hfcbench.types import DataLocation, DatasetDescription, ImageShape, ModelOptions

RGB32 = ImageShape(3, 32, 32)


def published(folder, reader: type, monkeypatch) -> None:
    """Let the files that lie in the folder be the published ones."""

    def md5(name: str) -> str:
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(reader, attribute)]
        monkeypatch.setattr(reader, attribute, [[name, md5(name)] for name in names])
    meta = {**reader.meta, "md5": md5(reader.meta["filename"])}
    monkeypatch.setattr(reader, "meta", meta)


CIFARS = [(Cifar10(), torchvision.datasets.CIFAR10), (Cifar100(), torchvision.datasets.CIFAR100)]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("dataset", "reader", "replaced"),
    [(dataset, reader, name) for dataset, reader in CIFARS for name in dataset.files],
)
def test_one_replaced_file_among_published_ones_is_refused_unread(
    dataset, reader, replaced, split, tmp_path, monkeypatch, marker, hostile_pickle
):
    folder = tmp_path / dataset.folder
    folder.mkdir()
    rows = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}
    for name in dataset.files:
        (folder / name).write_bytes(pickle.dumps({**rows, reader.meta["key"]: ["a", "b"]}))
    published(folder, reader, monkeypatch)
    location = DataLocation(tmp_path)
    assert len(list(dataset.read(location, split))) == 1
    (folder / replaced).write_bytes(hostile_pickle)
    with pytest.raises(DataError, match=r"cannot be read: RuntimeError Dataset .*corrupted"):
        list(dataset.read(location, split))
    assert not marker.exists()


def torch_pickle(hostile_pickle: bytes, path) -> None:
    """A file that torch.load would unpickle: shown to work."""

    class Hostile:
        def __reduce__(self):
            return pickle.loads, (hostile_pickle,)

    torch.save({"state_dict": Hostile()}, path)


@pytest.fixture
def hostile_weights(tmp_path, marker, hostile_pickle):
    path = tmp_path / "pytorch_model.bin"
    torch_pickle(hostile_pickle, path)
    torch.load(path, weights_only=False)
    assert marker.is_dir()
    marker.rmdir()
    return path


def test_mnists_old_processed_files_are_not_unpickled(tmp_path, marker, hostile_weights):
    for name in ("raw", "processed"):
        (tmp_path / "MNIST" / name).mkdir(parents=True)
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed" / name).write_bytes(hostile_weights.read_bytes())
    with pytest.raises(DataError, match=r"mnist in .* cannot be read"):
        list(Mnist().read(DataLocation(tmp_path), "train"))
    assert not marker.exists()


def test_timms_downloads_are_not_unpickled(monkeypatch, marker, hostile_weights):
    def download(repo_id, filename, **options):
        if filename.endswith(".safetensors"):
            raise EntryNotFoundError("only the pickle is there")
        return str(hostile_weights)

    monkeypatch.setattr("timm.models._hub.hf_hub_download", download)
    with pytest.raises(NodeError, match="weights of 'timm/resnet10t' could not be loaded"):
        Timm("resnet10t", pretrained=True).build(RGB32, 10, ModelOptions())
    assert not marker.exists()


def test_neither_are_they_where_timm_asks_for_it(monkeypatch, marker, hostile_weights):
    """Older versions of timm left weights_only out, or off, in some places."""

    def load(*arguments, **options):
        return torch.load(hostile_weights, weights_only=False)

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", load)
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", raising=False)
    with pytest.raises(NodeError, match="could not be loaded"):
        Timm("resnet10t", pretrained=True).build(RGB32, 10, ModelOptions())
    assert not marker.exists()
    # What the user's own program loads is its own affair.
    torch.load(hostile_weights, weights_only=False)
    assert marker.is_dir()


def test_weights_that_are_only_weights_are_loaded(monkeypatch, tmp_path):
    weights = timm.create_model("resnet10t", num_classes=1000).state_dict()
    torch.save(weights, tmp_path / "plain.bin")

    def load(*arguments, **options):
        return torch.load(tmp_path / "plain.bin", weights_only=False)

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", load)
    network = Timm("resnet10t", pretrained=True).build(RGB32, 1000, ModelOptions())
    assert torch.equal(network.state_dict()["network.fc.weight"], weights["fc.weight"])


@pytest.mark.parametrize(
    "name",
    ["hf-hub:someone/model", "hf_hub:someone/model", "local-dir:/tmp", "../../x", "os.mkdir"],
)
def test_timm_is_asked_for_its_own_models_only(name):
    with pytest.raises(SpecificationError, match=r"timm .* knows no model"):
        Timm(name, pretrained=True).check(RGB32, 10, ModelOptions())


@pytest.mark.parametrize(
    "header",
    [
        {"weight": {"dtype": "F32", "shape": [10**18, 10**18], "data_offsets": [0, 16]}},
        {"weight": {"dtype": "F32", "shape": [0, 10**12], "data_offsets": [0, 0]}},
        {"weight": {"dtype": "F8_E8M0", "shape": [2, 2], "data_offsets": [0, 4]}},
        {"weight": {"dtype": "O", "shape": [2, 2], "data_offsets": [0, 4]}},
        "[" * 100_000,
        '{"a":' * 50_000,
    ],
    ids=["overflow", "empty-but-wide", "unknown-here", "object", "deep-list", "deep"],
)
def test_headers_of_checkpoints_that_only_want_trouble(header, tmp_path):
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(NodeError, match="it is no safetensors file"):
        load_checkpoint(torch.nn.Linear(2, 2), path, None)


def test_a_pickle_with_the_very_hash_that_a_database_names(tmp_path, marker, hostile_pickle):
    path = tmp_path / "x.safetensors"
    path.write_bytes(hostile_pickle)
    with pytest.raises(NodeError, match="no safetensors file") as raised:
        load_checkpoint(torch.nn.Linear(2, 2), path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert "pickled checkpoints can run code" in str(raised.value)
    assert not marker.exists()


class Made:
    """A dataset that counts how often it is decoded."""

    reads = 0

    def prepare(self, location):
        pass

    def describe(self, location):
        return DatasetDescription(("a", "b"), ImageShape(1, 2, 2), {"train": 3, "test": 3}, "made")

    def read(self, location, split):
        self.reads += 1
        yield np.full((3, 1, 2, 2), 7, np.uint8), np.array([0, 1, 0])


class Hostile:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self):
        return pickle.loads, (self.content,)


def as_npy(header: str) -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def objects(path, content: bytes) -> None:
    array = np.empty(3, object)
    array[:] = [Hostile(content)] * 3
    np.save(path, array, allow_pickle=True)


ABSURD = "{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000,), }\n"
CALL = "{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (3,), }\n"
FILES = {
    "pickled": objects,
    "bare-pickle": lambda path, content: path.write_bytes(content),
    "absurd": lambda path, content: path.write_bytes(as_npy(ABSURD)),
    "code": lambda path, content: path.write_bytes(as_npy(CALL)),
    "deep": lambda path, content: path.write_bytes(as_npy("(" * 9_000 + "\n")),
    "unfinished": lambda path, content: path.write_bytes(as_npy("'''")),
    "other-shape": lambda path, content: np.save(path, np.zeros((2, 2), np.int64)),
    "other-type": lambda path, content: np.save(path, np.zeros(3)),
}


@pytest.mark.parametrize("which", ["train-labels.npy", "test-images.npy"])
@pytest.mark.parametrize("how", FILES)
def test_a_cache_that_proves_its_own_hostile_arrays(how, which, tmp_path, marker, hostile_pickle):
    dataset = Made()

    def opened():
        return open_dataset(
            dataset,
            name="made",
            version="1",
            parameters={},
            location=DataLocation(),
            cache_root=tmp_path / "cache",
        )

    opened()
    (folder,) = (tmp_path / "cache").glob("made-*")
    FILES[how](folder / which, hostile_pickle)
    manifest = json.loads((folder / "manifest.json").read_text())
    content = manifest["content"]
    content["files"][which] = hashlib.sha256((folder / which).read_bytes()).hexdigest()
    sha256 = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"content": content, "sha256": sha256}))

    cached = opened()
    assert dataset.reads == 4
    assert not marker.exists()
    assert cached.splits["train"].labels.tolist() == [0, 1, 0]
    assert (cached.splits["test"].images == 7).all()


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '{"content": [], "sha256": ""}', "1" * 9000])
def test_a_manifest_that_is_something_else(text, tmp_path):
    dataset = Made()
    arguments = {"version": "1", "parameters": {}, "location": DataLocation()}
    open_dataset(dataset, name="made", cache_root=tmp_path, **arguments)
    (folder,) = tmp_path.glob("made-*")
    (folder / "manifest.json").write_text(text)
    assert len(open_dataset(dataset, name="made", cache_root=tmp_path, **arguments).splits) == 2
    assert dataset.reads == 4

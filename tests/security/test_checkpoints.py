"""Checkpoints and datasets of others are read, never unpickled unseen."""

from __future__ import annotations

import ast
import json
import struct
from pathlib import Path

import pytest
import torch

from hfcbench.datasets.torchvision_sets import Cifar10
from hfcbench.errors import DataError, NodeError
from hfcbench.training.checkpoints import load_checkpoint
from hfcbench.types import DataLocation

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "hfcbench").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])


def test_a_pickle_in_place_of_a_checkpoint(tmp_path, marker, hostile_pickle):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(hostile_pickle)
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(torch.nn.Linear(2, 2), path, None)
    assert not marker.exists()


def test_a_torch_file_in_place_of_a_checkpoint(tmp_path, marker):
    path = tmp_path / "checkpoint.safetensors"
    torch.save({"weight": torch.zeros(2, 2)}, path)
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(torch.nn.Linear(2, 2), path, None)


@pytest.mark.parametrize("length", [2**62, 2**31, 10**6])
def test_a_header_that_promises_more_than_there_is(tmp_path, length):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(torch.nn.Linear(2, 2), path, None)


def test_tensors_that_reach_beyond_the_file(tmp_path):
    header = {"weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 10**12]}}
    text = json.dumps(header).encode()
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 16)
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(torch.nn.Linear(2, 2), path, None)


def test_another_file_than_the_database_knows(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"anything")
    with pytest.raises(NodeError, match="not the file that the database knows"):
        load_checkpoint(torch.nn.Linear(2, 2), path, "0" * 64)


def test_cifars_pickles_are_held_against_published_hashes_first(tmp_path, marker, hostile_pickle):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"]:
        (folder / name).write_bytes(hostile_pickle)
    for split in ("train", "test"):
        with pytest.raises(DataError, match="cannot be read"):
            list(Cifar10().read(DataLocation(tmp_path), split))
    assert not marker.exists()


def calls(source: Path) -> list[tuple[str, ast.Call]]:
    """Every call in a file with its dotted name."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def keyword(call: ast.Call, name: str) -> object:
    for item in call.keywords:
        if item.arg == name:
            return ast.literal_eval(item.value) if isinstance(item.value, ast.Constant) else "?"
    return None


_NEVER = (
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
)
# Raising an error and writing run nothing.
_HARMLESS = ("pickle.UnpicklingError", "pickle.dumps")
# Knows arrays, numbers and text only; its own tests try to get more past it.
_UNPICKLERS = {"plugins/hfcbench-detectron2/src/hfcbench_detectron2/arrays_only.py"}
_MODULES = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_can_execute_what_it_reads(source):
    for name, call in calls(source):
        assert name not in _NEVER, f"line {call.lineno}"
        assert name in _HARMLESS or name.partition(".")[0] not in _MODULES, f"line {call.lineno}"
        if name in ("torch.load", "load_state_dict_from_url", "torch.hub.load"):
            assert keyword(call, "weights_only") is True, f"line {call.lineno}"
        if name in ("np.load", "numpy.load"):
            assert keyword(call, "allow_pickle") in (None, False), f"line {call.lineno}"
        if name.startswith("subprocess."):
            assert keyword(call, "shell") in (None, False), f"line {call.lineno}"


def test_nothing_else_extends_an_unpickler():
    found = set()
    for source in SOURCES:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        bases = [b for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for b in n.bases]
        if any("Unpickler" in ast.unparse(base) for base in bases):
            found.add(str(source.relative_to(ROOT)))
    assert found == _UNPICKLERS

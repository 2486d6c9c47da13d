"""Checkpoints come back bit by bit, or say what is wrong with them."""

from __future__ import annotations

import hashlib

import pytest
import torch
from torch import nn

from hfcbench.errors import NodeError
from hfcbench.training.checkpoints import load_checkpoint, save_checkpoint


def network(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


def test_parameters_and_buffers_come_back(tmp_path):
    module = network()
    module(torch.rand(8, 3, 6, 6))
    path = tmp_path / "deep" / "weights.safetensors"
    sha256, size_bytes = save_checkpoint(module, path)

    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    assert path.stat().st_size == size_bytes
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    other = network()
    load_checkpoint(other, path, sha256)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


def test_equal_weights_make_equal_files(tmp_path):
    module = network().to(memory_format=torch.channels_last)
    hashes = {save_checkpoint(module, tmp_path / f"{number}")[0] for number in range(2)}
    assert len(hashes) == 1


def test_missing_altered_and_misfitting_files_are_named(tmp_path):
    path = tmp_path / "weights"
    with pytest.raises(NodeError, match="cannot be read"):
        load_checkpoint(network(), path, None)
    sha256, _ = save_checkpoint(network(), path)
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(network(5), path, sha256)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(NodeError, match="not the file that the database knows"):
        load_checkpoint(network(), path, sha256)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(NodeError, match="does not fit its model"):
        load_checkpoint(network(), path, None)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NodeError, match="cannot be written"):
        save_checkpoint(network(), tmp_path / "file" / "weights")


def test_another_checkpoint_than_expected_is_not_written(tmp_path):
    path = tmp_path / "weights"
    sha256, _ = save_checkpoint(network(), path)
    before = path.read_bytes()
    with pytest.raises(NodeError, match="gave another checkpoint than the database knows"):
        save_checkpoint(network(), path, sha256)
    assert path.read_bytes() == before


def test_shared_weights_come_back(tmp_path):
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    module[1].weight = module[0].weight
    sha256, _ = save_checkpoint(module, tmp_path / "tied")
    other = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    load_checkpoint(other, tmp_path / "tied", sha256)
    assert torch.equal(other[1].weight, module[0].weight)


def test_the_memory_format_leaves_no_trace(tmp_path):
    module = network()
    first, _ = save_checkpoint(module, tmp_path / "one")
    second, _ = save_checkpoint(module.to(memory_format=torch.channels_last), tmp_path / "two")
    assert first == second


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    save_checkpoint(network(), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NodeError, match="cannot be written: No space left on device"):
        save_checkpoint(network(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_a_checkpoint(tmp_path):
    save_checkpoint(network(), tmp_path / "weights")
    (tmp_path / "plain").write_bytes(b"")
    modes = {(tmp_path / name).stat().st_mode for name in ("weights", "plain")}
    assert len(modes) == 1

"""Checkpoints: safetensors files with a known hash; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError

from hfcbench.errors import NodeError
from hfcbench.training.files import save_tensors


def save_checkpoint(
    module: torch.nn.Module, path: Path, expected_sha256: str | None = None
) -> tuple[str, int]:
    """Write all parameters and buffers; the file is whole or not there.

    Args:
        module: on any device.
        path: replaced if it exists.
        expected_sha256: what the file must hash to where a training is only repeated.

    Returns:
        The sha256 of the file in hexadecimal, and its size in bytes.

    Raises:
        NodeError: the file cannot be written, or would not be the expected one.
    """
    return save_tensors(_state(module), path, "checkpoint", expected_sha256)


def load_checkpoint(module: torch.nn.Module, path: Path, sha256: str | None) -> None:
    """Read parameters and buffers into a module of the same architecture.

    Args:
        module: changed in place.
        path: a file written by :func:`save_checkpoint`.
        sha256: what the file must hash to; None skips that check.

    Raises:
        NodeError: the file is missing, altered, or belongs to another architecture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NodeError(f"the checkpoint {path} cannot be read: {error.strerror}") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise NodeError(
            f"the checkpoint {path} is not the file that the database knows",
            hint="delete it, and the same command trains it again",
        )
    try:
        state = safetensors.torch.load(content)
    # Beyond its own error: what becomes of types that torch does not have.
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise NodeError(
            f"the checkpoint {path} does not fit its model: it is no safetensors file ({error})",
            hint="nothing else is read, since pickled checkpoints can run code; "
            "delete it, and the same command trains it again",
        ) from error
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise NodeError(f"the checkpoint {path} does not fit its model: {error}") from error


def _state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = module.state_dict()
    # Copies, each row by row: safetensors refuses tensors that share their memory.
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }

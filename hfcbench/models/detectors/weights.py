"""Trained weights, published ones and the user's own; nothing but tensors is ever unpickled."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from hfcbench.errors import DataError, NodeError

_PREFIX = "network."
"""What stands before each name in a checkpoint of hfcbench."""


def published(weights: Any, what: str) -> dict[str, Tensor]:
    """The tensors of one of torchvision's sets of weights, downloaded unless they are there.

    Args:
        weights: a member of one of torchvision's enumerations.
        what: they are, for messages.

    Raises:
        NodeError: they can neither be found nor downloaded, or are damaged.
    """
    # From refused connections to damaged archives, with no base in common.
    try:
        state: dict[str, Tensor] = weights.get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except Exception as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise NodeError(
            f"{what} could not be loaded: {_first_line(error)}",
            hint=f"they are downloaded once from {weights.url}; where there is no network, "
            f"put that file into {folder}",
        ) from error
    return state


def file_sha256(path: Path) -> str:
    """The sha256 of a file in hexadecimal.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"the checkpoint {path} cannot be read: {error.strerror}") from error


def load_file(network: nn.Module, path: Path) -> None:
    """Read all tensors of a network from a file of safetensors or of ``torch.save``.

    Raises:
        NodeError: the file cannot be read, holds more than tensors, or those of another network.
    """
    state = _read(path)
    if all(name.startswith(_PREFIX) for name in state):
        state = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}
    try:
        network.load_state_dict(state)
    except (RuntimeError, AttributeError) as error:
        raise NodeError(
            f"the checkpoint {path} is of another network: {error}",
            hint="backbone, width, channels and norm must be what it was trained with, and "
            "checkpoint_classes as many as it tells",
        ) from error


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError) as error:
        raise NodeError(f"the checkpoint {path} cannot be read: {_first_line(error)}") from error
    except SafetensorError as error:
        raise NodeError(f"the checkpoint {path} is no safetensors file: {error}") from error
    except pickle.UnpicklingError as error:
        raise NodeError(
            f"the checkpoint {path} holds more than tensors, and is not unpickled",
            hint="torch.save(model.state_dict(), path) writes what can be read",
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise NodeError(
            f"the checkpoint {path} is no state dict",
            hint="torch.save(model.state_dict(), path) writes one",
        )
    return state


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

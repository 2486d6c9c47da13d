"""Files of tensors with a known hash, whole or not there; nothing is ever pickled."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from hfcbench.errors import NodeError


def save_tensors(
    tensors: Mapping[str, Tensor], path: Path, what: str, expected_sha256: str | None = None
) -> tuple[str, int]:
    """Write named tensors as a safetensors file; equal tensors make equal files.

    Args:
        tensors: contiguous, on the CPU, each with memory of its own.
        path: replaced if it exists.
        what: of a training this is, for messages.
        expected_sha256: what the file must hash to where a training is only repeated.

    Returns:
        The sha256 of the file in hexadecimal, and its size in bytes.

    Raises:
        NodeError: the file cannot be written, or would not be the expected one.
    """
    content = safetensors.torch.save(dict(tensors))
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 not in (None, sha256):
        raise NodeError(
            f"repeating this training gave another {what} than the database knows, as happens on "
            "another device or with another torch version; it was not written",
            hint="restore the checkpoint files, or run into a new database with --db",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    except OSError as error:
        raise NodeError(f"the {what} {path} cannot be written: {error.strerror}") from error
    return sha256, len(content)


def write_file(path: Path, content: bytes) -> None:
    """Put a file in its place at once; what is left of a failed one is removed.

    Raises:
        OSError: it cannot be written.
    """
    # Not from tempfile, whose files only their owner may read: artifacts may be shared.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

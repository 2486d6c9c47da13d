"""What every split asks of its images and outputs, and how it walks through large batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from hfcbench.errors import SpecificationError

Parts = tuple[Tensor, Tensor]
"""The low and the high part of the same images, each ``(N,C,H,W)`` float32."""

# On a CPU a chunk, its spectrum and one part should stay in the cores' caches; 2 MiB were best or
# close to it from 16 to 224 pixels. An accelerator wants few large launches instead.
_CPU_CHUNK_BYTES = 2 * 2**20
_ACCELERATOR_CHUNK_BYTES = 128 * 2**20


def check_images(images: Tensor) -> None:
    """Raise SpecificationError unless images are ``(N,C,H,W)`` floating point with H, W >= 1."""
    if images.dim() != 4 or 0 in images.shape[2:]:
        raise SpecificationError(
            f"images must have the shape (N,C,H,W) with H and W of at least 1, "
            f"not {tuple(images.shape)}"
        )
    if not images.is_floating_point():
        raise SpecificationError(
            f"images must be floating point with values in [0,1], not {images.dtype}",
            hint="Convert 8-bit images first: images.float() / 255.",
        )


def allocate(images: Tensor, count: int) -> list[Parts]:
    """Uninitialised outputs for ``count`` splits of ``images``, each tensor in its own memory."""
    shape = tuple(images.shape)
    return [
        (
            torch.empty(shape, dtype=torch.float32, device=images.device),
            torch.empty(shape, dtype=torch.float32, device=images.device),
        )
        for _ in range(count)
    ]


def check_outputs(out: Sequence[Parts], images: Tensor, count: int) -> None:
    """Raise SpecificationError unless ``out`` can take ``count`` splits of ``images``."""
    if len(out) != count:
        raise SpecificationError(f"{count} splits need {count} pairs of outputs, not {len(out)}")
    for part in (part for pair in out for part in pair):
        fits = part.shape == images.shape and part.device == images.device
        if not (fits and part.dtype == torch.float32 and part.is_contiguous()):
            raise SpecificationError(
                f"an output must be a contiguous float32 tensor of shape {tuple(images.shape)} "
                f"on {images.device}, not {part.dtype} {tuple(part.shape)} on {part.device}"
            )


def chunks(images: Tensor) -> Iterator[slice]:
    """Slices along N whose images, as float32, fit the device's chunk size; at least one each."""
    count, *shape = images.shape
    budget = _CPU_CHUNK_BYTES if images.device.type == "cpu" else _ACCELERATOR_CHUNK_BYTES
    bytes_per_image = 4 * shape[0] * shape[1] * shape[2]
    if bytes_per_image == 0:
        return
    size = max(1, budget // bytes_per_image)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))

"""The training images where the training wants them: on the device, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from hfcbench.devices import to_device
from hfcbench.frequency.components import ORIGINAL, Component, extract
from hfcbench.memory.exhaustion import is_out_of_memory
from hfcbench.types import ImageSplit

_CHUNK = 512

# Beyond this share of the device's memory, images stay on disk and come batch by batch. Of all its
# memory: what is free at the moment must not decide how values are rounded.
_RESIDENT_SHARE = 0.4
_UNKNOWN_MEMORY_BYTES = 4 * 2**30


class TrainingImages:
    """A split's images as the component that is trained on, in any order.

    A split that fits lies on the device as one tensor: uint8 pixels of originals, or float32
    values of a component, which is extracted once. One that does not is read from its memory map
    batch by batch, through pinned memory while the device computes, and extracted there. Pixels
    of originals are the same bit by bit either way, components to rounding.

    A component is cut out of the image as it lies in the dataset; whatever augments comes after
    that. So an LFC stays an LFC of the dataset, and it is extracted once, not in every epoch.

    Args:
        split: decoded images; its labels are not used.
        component: what is cut out of each image, rescaled as it says.
        device: where the batches are wanted.
        resident: whether to keep all images on the device; None decides by its memory.
    """

    def __init__(
        self,
        split: ImageSplit,
        component: Component,
        device: torch.device,
        *,
        resident: bool | None = None,
    ) -> None:
        self._split = split
        self._component = component
        self._device = device
        self._resident: Tensor | None = None
        if resident is None:
            width = 1 if component == ORIGINAL else 4
            resident = split.images.size * width <= _memory_bytes(device) * _RESIDENT_SHARE
        if resident:
            try:
                self._resident = self._load()
            except Exception as error:
                # Others use the device too.
                if not is_out_of_memory(error):
                    raise

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in the given order, ``size`` at a time, the last ones perhaps fewer.

        Args:
            order: ``(N,)`` int64 positions in the split, on the CPU.
            size: of a batch.

        Yields:
            Images ``(B,C,H,W)``, uint8 pixels of originals or float32 values of components (see
            :func:`in_unit_range`), and their positions ``(B,)``, both on the device.
        """
        positions = order.to(self._device)
        for here, there in zip(torch.split(order, size), torch.split(positions, size), strict=True):
            if self._resident is None:
                pixels = to_device(self._split.images[here.numpy()], self._device)
                yield self._extracted(pixels), there
            else:
                # Several times faster than indexing with a tensor.
                yield self._resident.index_select(0, there), there

    def _load(self) -> Tensor:
        if self._component == ORIGINAL:
            return to_device(self._split.images, self._device)
        values = torch.empty(self._split.images.shape, device=self._device)
        for start in range(0, len(self._split), _CHUNK):
            place = slice(start, start + _CHUNK)
            values[place] = self._extracted(to_device(self._split.images[place], self._device))
        return values

    def _extracted(self, pixels: Tensor) -> Tensor:
        if self._component == ORIGINAL:
            return pixels
        (values,) = extract(in_unit_range(pixels), [self._component])
        return values


def in_unit_range(images: Tensor) -> Tensor:
    """Pixels ``(B,C,H,W)`` uint8 as float32 in [0,1]; anything else as it is."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def _memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    # The memory of MPS is the machine's.
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return _UNKNOWN_MEMORY_BYTES

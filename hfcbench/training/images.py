"""The training images where the training wants them: on the device, batch by batch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hfcbench.frequency.components import ORIGINAL, Component, extract
from hfcbench.types import ImageSplit

_CHUNK = 512

# Beyond this share of the memory that is free, images stay on disk and come batch by batch.
_RESIDENT_SHARE = 0.4


class TrainingImages:
    """Random access to a split's images, as the component that is trained on.

    A split that fits lies on the device as one tensor: uint8 pixels of originals, or float32
    values of a component, which is extracted once.

    Args:
        split: decoded images; its labels are not used.
        component: what is cut out of each image, before any augmentation.
        device: where the batches are wanted.
    """

    def __init__(self, split: ImageSplit, component: Component, device: torch.device) -> None:
        self._split = split
        self._component = component
        self._device = device
        width = 1 if component == ORIGINAL else 4
        self._resident = (
            self._load()
            if split.images.size * width < _free_bytes(device) * _RESIDENT_SHARE
            else None
        )

    def batch(self, indices: Tensor) -> Tensor:
        """The images at ``indices`` ``(B,)`` as ``(B,C,H,W)`` float32; originals in [0,1]."""
        if self._resident is None:
            return self._extract(self._pixels(indices.cpu().numpy()))
        chosen = self._resident[indices]
        return chosen.float().div_(255) if chosen.dtype == torch.uint8 else chosen

    def _load(self) -> Tensor:
        if self._component == ORIGINAL:
            return self._pixels(slice(None))
        chunks = range(0, len(self._split), _CHUNK)
        return torch.cat(
            [self._extract(self._pixels(slice(start, start + _CHUNK))) for start in chunks]
        )

    def _pixels(self, place: slice | np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
        return torch.from_numpy(np.array(self._split.images[place])).to(self._device)

    def _extract(self, pixels: Tensor) -> Tensor:
        (images,) = extract(pixels.float().div_(255), [self._component])
        return images


def _free_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free)
    import os

    # Unified memory of MPS is the machine's too.
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        # A system that does not tell: assume a small machine.
        return 4e9

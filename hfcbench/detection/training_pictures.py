"""Training pictures as a detector learns from them: views and targets on the device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.detection.picture_sets import pixels_of
from hfcbench.detection_types import Picture, Target
from hfcbench.devices import to_device
from hfcbench.frequency.components import Component, extract

# Decoded pictures up to this size together are kept, which spares a small dataset all decoding
# but the first; of a large one the rest is decoded again in every epoch.
_KEPT_BYTES = 2 * 2**30


class TrainingPictures:
    """A split's pictures as the component that is trained on.

    Args:
        pictures: of any sizes.
        component: what is cut out of each whole picture.
        device: where views and targets are wanted.
    """

    def __init__(
        self, pictures: Sequence[Picture], component: Component, device: torch.device
    ) -> None:
        self._pictures = pictures
        self._component = component
        self._device = device
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self._kept_bytes = 0

    def example(self, position: int, *, mirrored: bool) -> tuple[Tensor, Target]:
        """One picture's view ``(3,H,W)`` float32 and what is to be found in it.

        Crowds, and objects without an extent, are not learned from.

        Args:
            mirrored: left and right are exchanged, in boxes too.

        Raises:
            DataError: the picture cannot be decoded.
        """
        pixels = to_device(self._pixels(position)[None], self._device).float().div_(255)
        (view,) = extract(pixels, [self._component])
        target = self._target(self._pictures[position])
        if not mirrored:
            return view[0], target
        width = view.shape[-1]
        boxes = target.boxes.clone()
        boxes[:, [0, 2]] = width - target.boxes[:, [2, 0]]
        return view[0].flip(-1), Target(boxes, target.classes)

    def _target(self, picture: Picture) -> Target:
        objects = picture.objects
        extents = objects.boxes[:, 2:] - objects.boxes[:, :2]
        learned = ~objects.crowds & (extents > 0).all(axis=1)
        return Target(
            to_device(np.asarray(objects.boxes[learned], np.float32), self._device),
            to_device(np.asarray(objects.classes[learned], np.int64), self._device),
        )

    def _pixels(self, position: int) -> NDArray[np.uint8]:
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        pixels = pixels_of(self._pictures[position])
        if self._kept_bytes + pixels.nbytes <= _KEPT_BYTES:
            self._kept[position] = pixels
            self._kept_bytes += pixels.nbytes
        return pixels

"""Some pictures of a split, and all that is in them as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.detection_types import Picture, PictureSet
from hfcbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def picture_set(pictures: Sequence[Picture], class_names: Sequence[str]) -> PictureSet:
    """The objects of pictures one behind the other, as evaluations keep them."""
    objects = [picture.objects for picture in pictures]
    return PictureSet(
        names=tuple(picture.name for picture in pictures),
        heights=np.array([picture.height for picture in pictures], np.int64),
        widths=np.array([picture.width for picture in pictures], np.int64),
        counts=np.array([len(item) for item in objects], np.int64),
        boxes=np.concatenate([np.empty((0, 4), np.float32), *(item.boxes for item in objects)]),
        classes=np.concatenate([np.empty(0, np.int64), *(item.classes for item in objects)]),
        areas=np.concatenate([np.empty(0, np.float32), *(item.areas for item in objects)]),
        crowds=np.concatenate([np.empty(0, np.bool_), *(item.crowds for item in objects)]),
        class_names=tuple(class_names),
    )


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    """The decoded picture ``(3,H,W)`` uint8.

    Raises:
        DataError: it cannot be decoded, or is not what the dataset says of it.
    """
    pixels = picture.read()
    expected = (3, picture.height, picture.width)
    if pixels.shape != expected or pixels.dtype != np.uint8:
        raise DataError(
            f"picture {picture.name} is {pixels.dtype} of shape {pixels.shape}; "
            f"the dataset says uint8 of shape {expected}"
        )
    return pixels

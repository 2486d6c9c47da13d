"""Reading the pictures that a COCO annotation file lists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hfcbench.datasets.pictures import PictureError, load_picture
from hfcbench.errors import DataError

_READERS = 8


def contents_of(files: Sequence[Path]) -> list[str]:
    """The sha256 of each file, in hexadecimal.

    Raises:
        DataError: one cannot be read.
    """
    # Hashing and waiting for the disk let go of Python's lock.
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(_sha256, files))


def read_picture(path: Path, height: int, width: int, content: str) -> NDArray[np.uint8]:
    """The picture ``(3,H,W)`` uint8 in 0..255, RGB, with its pixels as they are stored.

    An EXIF entry that would turn it is ignored, since COCO's boxes, heights and widths are those
    of the stored pixels: a picture that is turned on reading no longer lies below its boxes.

    Args:
        content: the sha256 that its file had when the dataset was opened.

    Raises:
        DataError: the file is missing, cannot be decoded, has changed, or has another size.
    """
    data = _content(path)
    if hashlib.sha256(data).hexdigest() != content:
        raise DataError(f"the picture {path} was replaced during the run", hint="start it again")
    try:
        pixels = load_picture(BytesIO(data), channels=3, size=None, upright=False)
    except PictureError as error:
        raise DataError(
            f"the picture {path} cannot be decoded: {error}",
            hint="get it again, or remove it from the annotation file",
        ) from error
    if pixels.shape[:2] != (height, width):
        raise DataError(
            f"the picture {path} has {pixels.shape[1]}x{pixels.shape[0]} pixels, its annotation "
            f"file says {width}x{height}",
            hint="sizes and boxes are those of the stored pixels, whatever EXIF entries say",
        )
    return pixels.transpose(2, 0, 1).copy()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"the picture {path} cannot be read: {error.strerror}") from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(_content(path)).hexdigest()

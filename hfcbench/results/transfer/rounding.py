"""Confidences and losses of single images, and boxes, with fewer digits: they compress better."""

from __future__ import annotations

import math
import sqlite3
from typing import TYPE_CHECKING, Any

from hfcbench.results.writing.predictions import (
    PackedArray,
    check_encoding,
    pack_array,
    unpack_array,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANTISSA_BITS = 23
_COLUMNS = ("confidence", "loss")
_PARTS_OF_A_PIXEL = 64


def round_predictions(connection: sqlite3.Connection, digits: int) -> None:
    """Round what is stored of every image, but for its predicted class.

    Raises:
        StoreError: predictions are damaged, or encoded in a way that is not known here.
    """
    keys = connection.execute("SELECT evaluation_id FROM predictions").fetchall()
    for (key,) in keys:
        for name in _COLUMNS:
            row = connection.execute(
                f"SELECT encoding, n, {name}_dtype, {name} FROM predictions "
                "WHERE evaluation_id = ?",
                (key,),
            ).fetchone()
            encoding, n, dtype, data = row
            check_encoding(encoding)
            values = unpack_array(PackedArray(dtype, data), n)
            packed = pack_array(rounded(values, digits), dtype)
            if len(packed.data) < len(data):
                update = f"UPDATE predictions SET {name} = ? WHERE evaluation_id = ?"
                connection.execute(update, (packed.data, key))


def round_boxes(connection: sqlite3.Connection) -> None:
    """Round corners of detected boxes to 1/64 pixel, which no overlap is told apart by.

    Raises:
        StoreError: detections are damaged, or encoded in a way that is not known here.
    """
    import numpy as np

    keys = connection.execute("SELECT evaluation_id FROM detections").fetchall()
    for (key,) in keys:
        encoding, count, dtype, data = connection.execute(
            "SELECT encoding, detection_count, boxes_dtype, boxes FROM detections "
            "WHERE evaluation_id = ?",
            (key,),
        ).fetchone()
        check_encoding(encoding)
        corners = unpack_array(PackedArray(dtype, data), 4 * count)
        # A power of two, so that the rounded corners are float32 themselves.
        near = np.rint(corners * _PARTS_OF_A_PIXEL) / _PARTS_OF_A_PIXEL
        packed = pack_array(near.astype(corners.dtype), dtype)
        if len(packed.data) < len(data):
            update = "UPDATE detections SET boxes = ? WHERE evaluation_id = ?"
            connection.execute(update, (packed.data, key))


def rounded(values: NDArray[Any], digits: int) -> NDArray[Any]:
    """Values (N,) float32 to the nearest that have ``digits`` significant decimal digits' bits.

    The relative error is at most ``0.5 * 10 ** -(digits - 1)``; NaN and infinities stay, and so
    does the sign. Values whose rounding would overflow are kept.
    """
    import numpy as np

    bits = math.ceil((digits - 1) * math.log2(10))
    spare = max(0, _MANTISSA_BITS - bits)
    if spare == 0:
        return values
    raw = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    # Half of the last bit that stays, so that cutting off rounds to the nearest.
    half = np.uint32(1 << (spare - 1))
    mask = np.uint32(0xFFFFFFFF ^ ((1 << spare) - 1))
    near: NDArray[Any] = ((raw + half) & mask).view("<f4")
    return np.where(np.isfinite(values) & np.isfinite(near), near, values).astype("<f4")

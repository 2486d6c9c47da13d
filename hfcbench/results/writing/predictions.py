"""Per-image predictions as compact bytes: numbers, never pickles.

Each array is stored little-endian in the smallest integer type that holds it, floats as float32
without loss. Its bytes are then regrouped (all first bytes, all second bytes, ...; neighbouring
floats share their exponent) and compressed by zlib. That is the encoding named ``shuffle-zlib``.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.errors import StoreError
from hfcbench.types import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENCODING = "shuffle-zlib"

_CLASS_TYPES = ("|u1", "<u2", "<i4", "<i8")
_FLOAT_TYPE = "<f4"
_LEVEL = 6
_MOST_IMAGES = 100_000_000


@dataclass(frozen=True, slots=True)
class PackedArray:
    """A one-dimensional array as bytes, with the NumPy name of its type."""

    dtype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PackedPredictions:
    """Predictions as they lie in the database; ``labels_sha256`` names the labels' content."""

    n: int
    labels_sha256: str
    labels: PackedArray
    predicted: PackedArray
    confidence: PackedArray
    loss: PackedArray


def pack_predictions(predictions: Predictions) -> PackedPredictions:
    """Encode predictions.

    Raises:
        StoreError: arrays of other shapes or types than :class:`~hfcbench.types.Predictions` says.
    """
    import numpy as np

    n = len(predictions.labels)
    for name, kind in (
        ("labels", np.integer),
        ("predicted", np.integer),
        ("confidence", np.float32),
        ("loss", np.float32),
    ):
        array = getattr(predictions, name)
        if array.shape != (n,) or not np.issubdtype(array.dtype, kind):
            raise StoreError(
                f"predictions cannot be stored: '{name}' is {array.dtype} of shape {array.shape}, "
                f"expected {kind.__name__} of shape ({n},)"
            )
    labels = np.ascontiguousarray(predictions.labels, dtype="<i8")
    return PackedPredictions(
        n=n,
        labels_sha256=hashlib.sha256(labels.tobytes()).hexdigest(),
        labels=pack_integers(labels),
        predicted=pack_integers(predictions.predicted),
        confidence=_pack(predictions.confidence, _FLOAT_TYPE),
        loss=_pack(predictions.loss, _FLOAT_TYPE),
    )


def unpack_predictions(packed: PackedPredictions) -> Predictions:
    """Decode predictions.

    Raises:
        StoreError: the bytes are not what their type and length promise.
    """
    import numpy as np

    return Predictions(
        labels=_unpack(packed.labels, packed.n, _CLASS_TYPES).astype(np.int64),
        predicted=_unpack(packed.predicted, packed.n, _CLASS_TYPES).astype(np.int64),
        confidence=_unpack(packed.confidence, packed.n, (_FLOAT_TYPE,)).astype(np.float32),
        loss=_unpack(packed.loss, packed.n, (_FLOAT_TYPE,)).astype(np.float32),
    )


def pack_array(array: NDArray[Any], dtype: str) -> PackedArray:
    """Encode a one-dimensional array as one of the types that :func:`unpack_array` reads."""
    return _pack(array, dtype)


def pack_integers(array: NDArray[Any]) -> PackedArray:
    """Encode a one-dimensional array of integers as the smallest type that holds them.

    Raises:
        StoreError: they are too large.
    """
    return _pack(array, _class_type(array))


def unpack_array(packed: PackedArray, n: int) -> NDArray[Any]:
    """Decode a one-dimensional array.

    Raises:
        StoreError: the bytes are not what their type and length promise.
    """
    return _unpack(packed, n, (*_CLASS_TYPES, _FLOAT_TYPE))


def check_encoding(encoding: str) -> None:
    """Raise StoreError unless bytes of this encoding can be decoded."""
    if encoding != ENCODING:
        raise StoreError(
            f"predictions are encoded as '{encoding}', which this hfcbench cannot read",
            hint="update hfcbench: pip install --upgrade hfcbench",
        )


def _class_type(classes: NDArray[Any]) -> str:
    import numpy as np

    if not len(classes):
        return _CLASS_TYPES[0]
    low, high = int(classes.min()), int(classes.max())
    for name in _CLASS_TYPES:
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return name
    raise StoreError(f"class {high} is too large to be stored")


def _pack(array: NDArray[Any], dtype: str) -> PackedArray:
    import numpy as np

    values = np.ascontiguousarray(array, dtype=dtype)
    grouped = values.view(np.uint8).reshape(len(values), values.itemsize).T
    return PackedArray(dtype, zlib.compress(grouped.tobytes(), _LEVEL))


def _unpack(packed: PackedArray, n: int, allowed: tuple[str, ...]) -> NDArray[Any]:
    import numpy as np

    # Types and lengths come from a file that anyone may have written.
    if packed.dtype not in allowed:
        raise StoreError(f"stored predictions are damaged: type '{packed.dtype}' is not expected")
    if not isinstance(packed.data, bytes) or not isinstance(n, int):
        raise StoreError("stored predictions are damaged: bytes and their number are expected")
    # A length of -1 would let zlib unpack without end.
    if not 0 <= n <= _MOST_IMAGES:
        raise StoreError(f"stored predictions are damaged: they cannot be {n} images")
    size = n * np.dtype(packed.dtype).itemsize
    stream = zlib.decompressobj()
    try:
        # One byte more than expected tells a bomb from the real thing without unpacking it.
        grouped = stream.decompress(packed.data, size + 1)
    except zlib.error as error:
        raise StoreError(f"stored predictions are damaged: {error}") from error
    if len(grouped) != size or not stream.eof:
        raise StoreError(f"stored predictions are damaged: not the {size} bytes that {n} need")
    planes = np.frombuffer(grouped, np.uint8).reshape(-1, n) if n else np.empty((0, 0), np.uint8)
    return np.ascontiguousarray(planes.T).view(packed.dtype).reshape(n)

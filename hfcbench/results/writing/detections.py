"""Pictures' objects and what detectors found, as compact bytes: numbers, never pickles.

Arrays are encoded as those of predictions are (see :mod:`hfcbench.results.writing.predictions`):
integers in the smallest type that holds them, float32 without loss, boxes ``(K,4)`` in C order.
Their lengths follow from numbers that are stored beside them, so that damaged bytes are noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import StoreError
from hfcbench.results.column_types import canonical_text
from hfcbench.results.writing.predictions import (
    PackedArray,
    pack_array,
    pack_integers,
    unpack_array,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OBJECT_ARRAYS = ("counts", "boxes", "classes", "areas", "crowds")
DETECTION_ARRAYS = ("counts", "boxes", "scores", "classes")

_FLOAT_TYPE = "<f4"
_FLOATS = ("boxes", "areas", "scores")
_FLAG_TYPE = "|u1"


@dataclass(frozen=True, slots=True)
class PackedPictures:
    """A picture set as it lies in the database.

    Attributes:
        object_count: of all pictures together.
        arrays: by the names in :data:`OBJECT_ARRAYS`.
        rows: name, height, width and number of objects of each picture.
        class_names: of the dataset; not stored with the pictures.
    """

    sha256: str
    object_count: int
    arrays: Mapping[str, PackedArray]
    rows: tuple[tuple[str, int, int, int], ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackedDetections:
    """Detections as they lie in the database.

    Attributes:
        n: number of pictures.
        detection_count: in all pictures together.
        arrays: by the names in :data:`DETECTION_ARRAYS`.
    """

    pictures: PackedPictures
    n: int
    detection_count: int
    arrays: Mapping[str, PackedArray]


def pack_pictures(pictures: PictureSet) -> PackedPictures:
    """Encode a picture set.

    Raises:
        StoreError: it is not what :class:`~hfcbench.detection_types.PictureSet` says.
    """
    import numpy as np

    n, found = len(pictures), len(pictures.classes)
    _require("pictures", pictures, heights=(np.int64, (n,)), widths=(np.int64, (n,)))
    _require_counted("objects", pictures, n, found)
    _require("objects", pictures, areas=(np.float32, (found,)), crowds=(np.bool_, (found,)))
    _require_classes("objects", pictures.classes, len(pictures.class_names))
    if len(set(pictures.names)) != n:
        raise StoreError("pictures cannot be stored: two of them have the same name")
    columns = (pictures.heights.tolist(), pictures.widths.tolist(), pictures.counts.tolist())
    return PackedPictures(
        content_of(pictures),
        found,
        _packed(pictures, OBJECT_ARRAYS),
        tuple(zip(pictures.names, *columns, strict=True)),
        pictures.class_names,
    )


def pack_detections(detections: Detections, pictures: PackedPictures) -> PackedDetections:
    """Encode detections.

    Args:
        pictures: their picture set, which many detections share.

    Raises:
        StoreError: they are not what :class:`~hfcbench.detection_types.Detections` says.
    """
    import numpy as np

    n, found = len(detections), len(detections.classes)
    _require_counted("detections", detections, n, found)
    _require("detections", detections, scores=(np.float32, (found,)))
    _require_classes("detections", detections.classes, len(pictures.class_names))
    return PackedDetections(pictures, n, found, _packed(detections, DETECTION_ARRAYS))


def unpack_objects(
    arrays: Mapping[str, PackedArray], n: int, object_count: int
) -> dict[str, NDArray[Any]]:
    """The arrays of a picture set of ``n`` pictures, by the names in :data:`OBJECT_ARRAYS`.

    Raises:
        StoreError: the bytes are not what their types and the counts promise.
    """
    found = _unpacked(arrays, n, object_count)
    if (found["crowds"] > 1).any():
        raise StoreError("stored objects are damaged: a crowd is neither 0 nor 1")
    return {**found, "crowds": found["crowds"].astype(bool)}


def unpack_detections(
    arrays: Mapping[str, PackedArray], n: int, detection_count: int
) -> dict[str, NDArray[Any]]:
    """The arrays of detections in ``n`` pictures, by the names in :data:`DETECTION_ARRAYS`.

    Raises:
        StoreError: the bytes are not what their types and the counts promise.
    """
    return _unpacked(arrays, n, detection_count)


def content_of(pictures: PictureSet) -> str:
    """The sha256 of names, sizes and objects, in hexadecimal.

    Raises:
        StoreError: a name is no valid text.
    """
    try:
        digest = hashlib.sha256(canonical_text(list(pictures.names)).encode())
    except UnicodeEncodeError as error:
        raise StoreError("pictures cannot be stored: a name is no valid text") from error
    for name in ("heights", "widths", *OBJECT_ARRAYS):
        dtype = _FLOAT_TYPE if name in _FLOATS else _FLAG_TYPE if name == "crowds" else "<i8"
        digest.update(getattr(pictures, name).astype(dtype).tobytes())
    return digest.hexdigest()


def _packed(content: PictureSet | Detections, names: tuple[str, ...]) -> dict[str, PackedArray]:
    return {
        name: pack_array(getattr(content, name).reshape(-1), _FLOAT_TYPE)
        if name in _FLOATS
        else pack_integers(getattr(content, name).astype("int64"))
        for name in names
    }


def _unpacked(arrays: Mapping[str, PackedArray], n: int, total: int) -> dict[str, NDArray[Any]]:
    found = {}
    for name, packed in arrays.items():
        length = n if name == "counts" else 4 * total if name == "boxes" else total
        if (packed.dtype == _FLOAT_TYPE) != (name in _FLOATS):
            raise StoreError(f"stored {name} are damaged: type '{packed.dtype}' is not expected")
        array = unpack_array(packed, length)
        found[name] = array.astype("float32" if name in _FLOATS else "int64")
    if not _add_up(found["counts"], total):
        raise StoreError(f"stored counts are damaged: they do not add up to {total}")
    if (found["classes"] < 0).any():
        raise StoreError("stored classes are damaged: there are none below 0")
    return {**found, "boxes": found["boxes"].reshape(total, 4)}


def _require(what: str, content: object, **expected: tuple[type, tuple[int, ...]]) -> None:
    for name, (kind, shape) in expected.items():
        array = getattr(content, name)
        if array.dtype != kind or array.shape != shape:
            raise StoreError(
                f"{what} cannot be stored: '{name}' is {array.dtype} of shape {array.shape}, "
                f"expected {kind.__name__} of shape {shape}"
            )


def _require_counted(what: str, content: PictureSet | Detections, n: int, total: int) -> None:
    import numpy as np

    _require(what, content, counts=(np.int64, (n,)), classes=(np.int64, (total,)))
    _require(what, content, boxes=(np.float32, (total, 4)))
    if not _add_up(content.counts, total):
        raise StoreError(f"{what} cannot be stored: counts do not add up to {total}")


def _add_up(counts: NDArray[Any], total: int) -> bool:
    # None above the total: a sum of larger ones could wrap around.
    return bool(((counts >= 0) & (counts <= total)).all()) and int(counts.sum()) == total


def _require_classes(what: str, classes: NDArray[np.int64], count: int) -> None:
    if len(classes) and not 0 <= classes.min() <= classes.max() < count:
        raise StoreError(
            f"{what} cannot be stored: class {int(classes.min())} or {int(classes.max())} is not "
            f"among the {count} of the dataset"
        )

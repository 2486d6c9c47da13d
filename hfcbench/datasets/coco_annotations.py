"""COCO's annotation files: what they must hold, and what becomes of boxes that are not right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hfcbench.datasets.coco_records import Record, RecordError, records
from hfcbench.datasets.coco_tables import Annotated, Image, annotated_in, categories_in, images_in
from hfcbench.detection_types import Objects
from hfcbench.errors import DataError

# Everything else is dropped while the file is parsed: outlines alone take gigabytes.
_KEYS = frozenset(
    (
        "annotations",
        "area",
        "bbox",
        "categories",
        "category_id",
        "file_name",
        "height",
        "id",
        "image_id",
        "images",
        "iscrowd",
        "name",
        "width",
    )
)


@dataclass(frozen=True, eq=False)
class ListedPicture:
    """A picture as its annotation file lists it, with its file name below the split's folder."""

    name: str
    height: int
    width: int
    objects: Objects


@dataclass(frozen=True, eq=False)
class Annotations:
    """What one annotation file says.

    Attributes:
        classes: names in the order of category ids.
        pictures: in the order of their ids; their objects are in the order of annotation ids.
        sha256: of the file, in hexadecimal.
        clipped: number of boxes that reached beyond their picture and were cut at its edge.
        dropped: number of boxes that held nothing of their picture and are left out.
    """

    classes: tuple[str, ...]
    pictures: tuple[ListedPicture, ...]
    sha256: str
    clipped: int
    dropped: int


def read_annotations(path: Path, chosen: tuple[str, ...] | None = None) -> Annotations:
    """The annotation file, parsed again only when it has changed.

    Args:
        chosen: names of the only categories to keep; None keeps all.

    Raises:
        DataError: the file is missing, is not in COCO's format, contradicts itself, or has no
            category of a chosen name.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return _parsed(path, status.st_size, status.st_mtime_ns, chosen)


# As many as a dataset has splits.
@lru_cache(maxsize=2)
def _parsed(path: Path, size: int, modified: int, chosen: tuple[str, ...] | None) -> Annotations:
    document, sha256 = _document(path)
    try:
        positions, classes = categories_in(records(document, "categories"), chosen)
        images = images_in(records(document, "images"))
        annotated = annotated_in(records(document, "annotations"), images, positions)
    except RecordError as problem:
        raise DataError(f"{path}: {problem}") from problem
    clipped = dropped = 0
    pictures = []
    for number in sorted(images):
        objects, cut, lost = _objects(images[number], annotated.get(number, ()))
        image = images[number]
        pictures.append(ListedPicture(image.name, image.height, image.width, objects))
        clipped, dropped = clipped + cut, dropped + lost
    return Annotations(classes, tuple(pictures), sha256, clipped, dropped)


def _document(path: Path) -> tuple[Any, str]:
    """What the file holds of use, and its sha256."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    try:
        document = json.loads(content, object_pairs_hook=_needed)
    # RecursionError: brackets within brackets within brackets.
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    return document, hashlib.sha256(content).hexdigest()


def _needed(pairs: Sequence[tuple[str, Any]]) -> Record:
    return {key: value for key, value in pairs if key in _KEYS}


def _objects(image: Image, annotated: Sequence[Annotated]) -> tuple[Objects, int, int]:
    """The objects of one picture, how many boxes were clipped and how many dropped."""
    ordered = sorted(annotated, key=lambda one: one.id)
    given = np.array([one.corners for one in ordered], dtype=np.float64).reshape(-1, 4)
    limits = np.array([image.width, image.height] * 2, dtype=np.float64)
    inside = np.clip(given, 0, limits)
    # As float32, which thin boxes far from the corner may not survive.
    boxes = inside.astype(np.float32)
    sides = boxes[:, 2:] - boxes[:, :2]
    kept = (sides > 0).all(axis=1)
    clipped = (inside != given).any(axis=1) & kept
    areas = [
        float(width * height) if one.area is None else one.area
        for one, (width, height) in zip(ordered, sides, strict=True)
    ]
    objects = Objects(
        boxes=boxes[kept],
        classes=np.array([one.position for one in ordered], dtype=np.int64)[kept],
        areas=np.array(areas, dtype=np.float32)[kept],
        crowds=np.array([one.crowd for one in ordered], dtype=np.bool_)[kept],
    )
    return objects, int(clipped.sum()), int((~kept).sum())

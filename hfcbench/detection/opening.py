"""Opening a detection dataset: its pictures, and the fingerprint of all that is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.detection_types import DetectionDataset, Picture
from hfcbench.types import DataLocation, DatasetDescription

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PictureDataset:
    """A detection dataset at hand; nothing is decoded before it is asked for."""

    description: DatasetDescription
    fingerprint: str
    splits: Mapping[str, Sequence[Picture]]


def open_pictures(dataset: DetectionDataset, location: DataLocation) -> PictureDataset:
    """The dataset's pictures by split.

    The fingerprint is the sha256 of class names and, of each picture, name, size, content and
    objects.

    Raises:
        DataError: the dataset is missing or broken.
    """
    dataset.prepare(location)
    description = dataset.describe(location)
    splits = {
        split: dataset.pictures(location, split) for split, n in description.sizes.items() if n
    }
    return PictureDataset(description, _fingerprint(description, splits), splits)


def _fingerprint(description: DatasetDescription, splits: Mapping[str, Sequence[Picture]]) -> str:
    digest = hashlib.sha256(json.dumps(description.classes).encode())
    for split in sorted(splits):
        digest.update(json.dumps([split, len(splits[split])]).encode())
        for picture in splits[split]:
            place = [picture.name, picture.height, picture.width, picture.content]
            digest.update(json.dumps([*place, len(picture.objects)]).encode())
            for array in _arrays(picture):
                digest.update(array.tobytes())
    return digest.hexdigest()


def _arrays(picture: Picture) -> Iterator[NDArray[Any]]:
    import numpy as np

    objects = picture.objects
    yield np.asarray(objects.boxes, "<f4")
    yield np.asarray(objects.classes, "<i8")
    yield np.asarray(objects.areas, "<f4")
    yield np.asarray(objects.crowds, "|u1")

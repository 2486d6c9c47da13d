"""Opening a detection dataset: its pictures, and the fingerprint of all that is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hfcbench.detection_types import DetectionDataset, Picture
from hfcbench.errors import DataError
from hfcbench.types import JSON, DataLocation, DatasetDescription

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = 1


@dataclass(frozen=True)
class PictureDataset:
    """A detection dataset at hand; nothing is decoded before it is asked for."""

    description: DatasetDescription
    fingerprint: str
    splits: Mapping[str, Sequence[Picture]]


def open_pictures(
    dataset: DetectionDataset,
    *,
    name: str,
    version: str,
    parameters: Mapping[str, JSON],
    location: DataLocation,
    cache_root: Path,
) -> PictureDataset:
    """The dataset's pictures by split.

    The fingerprint is the sha256 of class names and, of each picture, name, size, content and
    objects. It is kept in the cache, as contents of many pictures take long to hash, for as long
    as the dataset's ``source`` is the same.

    Raises:
        DataError: the dataset is missing or broken, or the cache cannot be written.
    """
    dataset.prepare(location)
    description = dataset.describe(location)
    splits = {
        split: dataset.pictures(location, split) for split, n in description.sizes.items() if n
    }
    key = _sha256([_FORMAT, name, version, dict(parameters), asdict(description)])
    path = cache_root / f"{name}-{key[:16]}.fingerprint.json"
    fingerprint = _kept(path, key)
    if fingerprint is None:
        fingerprint = _fingerprint(description, splits)
        _keep(path, key, fingerprint)
    return PictureDataset(description, fingerprint, splits)


def _fingerprint(description: DatasetDescription, splits: Mapping[str, Sequence[Picture]]) -> str:
    digest = hashlib.sha256(json.dumps(description.classes).encode())
    for split in sorted(splits):
        digest.update(json.dumps([split, len(splits[split])]).encode())
        for picture in splits[split]:
            place = [picture.name, picture.height, picture.width, picture.content()]
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


def _kept(path: Path, key: str) -> str | None:
    """The fingerprint that was kept under a key; None where the file is missing or damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return str(kept["fingerprint"]) if kept["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(path: Path, key: str, fingerprint: str) -> None:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"key": key, "fingerprint": fingerprint}), "utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DataError(
            f"the fingerprint of a dataset cannot be kept in {path}: {error.strerror}",
            hint="choose another folder with --cache-dir",
        ) from error


def _sha256(content: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

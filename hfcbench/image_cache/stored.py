"""A decoded dataset as it lies on disk: what its files are called and what proves them.

``manifest.json`` holds the sha256 of every file and of itself; a folder without a manifest that
fits is no cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hfcbench.types import DatasetDescription, ImageSplit

FORMAT = 1

_MANIFEST = "manifest.json"
_PIECE_BYTES = 1 << 22


@dataclass(frozen=True)
class CachedDataset:
    """A decoded dataset; ``fingerprint`` is the sha256 of classes, images and labels."""

    fingerprint: str
    description: DatasetDescription
    splits: Mapping[str, ImageSplit]


@dataclass(frozen=True)
class CacheEntry:
    """Where a decoded dataset lies, or will; ``key`` is the sha256 of what it is made from."""

    folder: Path
    key: str
    name: str
    description: DatasetDescription

    @property
    def files(self) -> set[str]:
        """The names of its arrays."""
        splits = self.description.sizes
        return {file(split) for split in splits for file in (images_file, labels_file)}


def images_file(split: str) -> str:
    """Name of the file with a split's images ``(N,C,H,W)`` uint8."""
    return f"{split}-images.npy"


def labels_file(split: str) -> str:
    """Name of the file with a split's labels ``(N,)`` int64."""
    return f"{split}-labels.npy"


def plain(description: DatasetDescription) -> dict[str, Any]:
    """The description as JSON values."""
    return {**asdict(description), "sizes": dict(description.sizes)}


def read(entry: CacheEntry) -> CachedDataset | None:
    """The cached dataset, or None if it is missing, half-written, damaged or another one."""
    folder = entry.folder
    try:
        manifest = _read_manifest(folder)
        hashes = manifest["files"]
        if manifest["key"] != entry.key or set(hashes) != entry.files:
            return None
        if any(_file_sha256(folder / name) != sha256 for name, sha256 in hashes.items()):
            return None
        splits = {split: _read_split(entry, split) for split in entry.description.sizes}
        return CachedDataset(manifest["fingerprint"], entry.description, splits)
    # Whatever is wrong with a cache, decoding again mends it.
    except Exception:
        return None


def _read_split(entry: CacheEntry, split: str) -> ImageSplit:
    """A split's memory maps; ValueError if they are not what the description says."""
    # Maps also of the labels: an absurd size in a header then costs nothing.
    images = np.load(entry.folder / images_file(split), mmap_mode="r", allow_pickle=False)
    labels = np.load(entry.folder / labels_file(split), mmap_mode="r", allow_pickle=False)
    count, shape = entry.description.sizes[split], entry.description.shape
    expected = (count, shape.channels, shape.height, shape.width)
    if images.shape != expected or labels.shape != (count,):
        raise ValueError("arrays of another shape")
    if images.dtype != np.uint8 or labels.dtype != np.int64:
        raise ValueError("arrays of another type")
    return ImageSplit(images, labels)


def write_manifest(entry: CacheEntry, folder: Path) -> None:
    """Describe and prove the arrays of ``entry`` that lie finished in ``folder``."""
    content = {
        "format": FORMAT,
        "key": entry.key,
        "fingerprint": _fingerprint(entry.description, folder),
        "description": plain(entry.description),
        "files": {name: _file_sha256(folder / name) for name in sorted(entry.files)},
    }
    manifest = {"content": content, "sha256": _json_sha256(content)}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest's content; ValueError if it is not what was written."""
    manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    content: dict[str, Any] = manifest["content"]
    if manifest["sha256"] != _json_sha256(content):
        raise ValueError("the manifest is damaged")
    return content


def _fingerprint(description: DatasetDescription, folder: Path) -> str:
    """The sha256 of class names, and of each split's shape, labels and pixels."""
    digest = hashlib.sha256(json.dumps(description.classes).encode())
    for split in sorted(description.sizes):
        labels = np.load(folder / labels_file(split), allow_pickle=False)
        images = np.load(folder / images_file(split), mmap_mode="r", allow_pickle=False)
        digest.update(json.dumps([split, images.shape]).encode())
        digest.update(labels.astype("<i8").tobytes())
        step = max(1, _PIECE_BYTES // max(1, images.nbytes // max(1, len(images))))
        for start in range(0, len(images), step):
            digest.update(images[start : start + step].tobytes())
    return digest.hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json_sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""Decoded datasets on disk: uint8 arrays that are memory-mapped, with a manifest that proves them.

A dataset is decoded once, into a folder that gets its final name only when it is whole. On opening,
the manifest's hashes are compared with the files; what is damaged is decoded again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfcbench.errors import DataError
from hfcbench.types import (
    JSON,
    DataLocation,
    Dataset,
    DatasetDescription,
    ImageShape,
    ImageSplit,
)

FORMAT = 1

_MANIFEST = "manifest.json"
_HASH_CHUNK = 1 << 24


@dataclass(frozen=True)
class CachedDataset:
    """A decoded dataset; ``fingerprint`` is the sha256 of classes, images and labels."""

    fingerprint: str
    description: DatasetDescription
    splits: Mapping[str, ImageSplit]


def open_dataset(
    dataset: Dataset,
    *,
    name: str,
    version: str,
    parameters: Mapping[str, JSON],
    location: DataLocation,
    cache_root: Path,
) -> CachedDataset:
    """The dataset's decoded images, from the cache or decoded now.

    Args:
        dataset: what can decode it.
        name, version, parameters: with the description's ``source``, the key in the cache.
        location: where its files lie.
        cache_root: folder of the cache; made if missing.

    Raises:
        DataError: the dataset is missing or broken, or the cache cannot be written.
    """
    dataset.prepare(location)
    description = dataset.describe(location)
    key = _key(name, version, parameters, description)
    folder = cache_root / f"{name}-{key[:16]}"
    cached = _read(folder)
    if cached is None:
        _build(dataset, description, location, folder)
        cached = _read(folder)
    if cached is None:
        raise DataError(
            f"the decoded copy of {name} in {folder} is damaged right after it was written",
            hint="check the disk, or choose another folder with --cache-dir",
        )
    return cached


def _key(
    name: str, version: str, parameters: Mapping[str, JSON], description: DatasetDescription
) -> str:
    content = [FORMAT, name, version, parameters, _plain(description)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(description: DatasetDescription) -> dict[str, Any]:
    return {**asdict(description), "sizes": dict(description.sizes)}


def _read(folder: Path) -> CachedDataset | None:
    """The cached dataset, or None if it is missing, half-written or damaged."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        whole = all(
            _file_sha256(folder / name) == sha256 for name, sha256 in manifest["files"].items()
        )
        if not whole:
            return None
        plain = manifest["description"]
        description = DatasetDescription(
            classes=tuple(plain["classes"]),
            shape=ImageShape(**plain["shape"]),
            sizes=plain["sizes"],
            source=plain["source"],
        )
        splits = {
            split: ImageSplit(
                np.load(folder / f"{split}-images.npy", mmap_mode="r", allow_pickle=False),
                np.load(folder / f"{split}-labels.npy", allow_pickle=False),
            )
            for split in description.sizes
        }
        return CachedDataset(manifest["fingerprint"], description, splits)
    except (OSError, ValueError, KeyError, TypeError):
        # Whatever is wrong with a cache, decoding again mends it.
        return None


def _build(
    dataset: Dataset, description: DatasetDescription, location: DataLocation, folder: Path
) -> None:
    """Decode into a folder of another name, then rename it; the last of two builders loses."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for split in description.sizes:
                _decode(dataset, description, location, split, temporary)
            _write_manifest(description, temporary)
            _move(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        # A dataset's reader may fail on its own files, too.
        if error.filename and not str(error.filename).startswith(str(folder.parent)):
            raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error
        raise DataError(
            f"decoded images cannot be kept in {folder.parent}: {error.strerror}",
            hint="make room there, or choose another folder with --cache-dir",
        ) from error


def _decode(
    dataset: Dataset,
    description: DatasetDescription,
    location: DataLocation,
    split: str,
    folder: Path,
) -> None:
    """Write one split chunk by chunk; memory holds one chunk at a time."""
    count, shape = description.sizes[split], description.shape
    images = np.lib.format.open_memmap(
        folder / f"{split}-images.npy",
        mode="w+",
        dtype=np.uint8,
        shape=(count, shape.channels, shape.height, shape.width),
    )
    labels = np.zeros(count, dtype=np.int64)
    start = 0
    for pixels, chunk_labels in dataset.read(location, split):
        stop = start + len(pixels)
        _check_chunk(pixels, chunk_labels, stop, description, split)
        images[start:stop] = pixels
        labels[start:stop] = chunk_labels
        start = stop
    if start != count:
        raise DataError(f"the {split} split holds {start} images, {count} were announced")
    images.flush()
    np.save(folder / f"{split}-labels.npy", labels)


def _check_chunk(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    stop: int,
    description: DatasetDescription,
    split: str,
) -> None:
    shape = description.shape
    expected = (len(labels), shape.channels, shape.height, shape.width)
    if pixels.dtype != np.uint8 or pixels.shape != expected:
        raise DataError(
            f"the {split} split has {pixels.dtype} images of shape {pixels.shape}, "
            f"announced are uint8 images of shape {expected}"
        )
    if stop > description.sizes[split]:
        raise DataError(f"the {split} split holds more images than the announced "
                        f"{description.sizes[split]}")  # fmt: skip
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(description.classes):
        raise DataError(
            f"the {split} split has labels from {labels.min()} to {labels.max()} "
            f"for {len(description.classes)} classes"
        )


def _write_manifest(description: DatasetDescription, folder: Path) -> None:
    files = sorted(folder.glob("*.npy"))
    manifest = {
        "format": FORMAT,
        "fingerprint": _fingerprint(description, folder),
        "description": _plain(description),
        "files": {path.name: _file_sha256(path) for path in files},
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _fingerprint(description: DatasetDescription, folder: Path) -> str:
    """The sha256 of class names, and of each split's shape, labels and pixels."""
    digest = hashlib.sha256(json.dumps(description.classes).encode())
    for split in sorted(description.sizes):
        labels = np.load(folder / f"{split}-labels.npy", allow_pickle=False)
        images = np.load(folder / f"{split}-images.npy", mmap_mode="r", allow_pickle=False)
        digest.update(json.dumps([split, images.shape]).encode())
        digest.update(labels.astype("<i8").tobytes())
        step = max(1, _HASH_CHUNK // max(1, images[0].nbytes)) if len(images) else 1
        for start in range(0, len(images), step):
            digest.update(images[start : start + step].tobytes())
    return digest.hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(temporary: Path, folder: Path) -> None:
    """Put the finished folder in place of a missing or damaged one."""
    if folder.exists() and _read(folder) is not None:
        return
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-damaged-", dir=folder.parent))
        folder.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        temporary.replace(folder)
    except OSError:
        # Another process was quicker; its copy is as good if it is whole.
        if _read(folder) is None:
            raise

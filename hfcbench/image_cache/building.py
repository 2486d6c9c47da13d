"""Decoding a dataset into the cache, so that a folder with the final name is always whole.

Everything is written into a folder of another name that is renamed at the end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hfcbench.errors import DataError
from hfcbench.image_cache.lock import held
from hfcbench.image_cache.stored import CacheEntry, images_file, labels_file, read, write_manifest
from hfcbench.types import DataLocation, Dataset, DatasetDescription


def build(dataset: Dataset, location: DataLocation, entry: CacheEntry) -> None:
    """Decode the dataset into ``entry.folder``, unless another process has just done so.

    Raises:
        DataError: the dataset cannot be read or is not as described, or the cache's folder
            cannot be written.
    """
    root = entry.folder.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        with held(root / f".{entry.folder.name}.lock") as alone:
            if alone:
                _remove_leftovers(entry)
            if read(entry) is None:
                _decode_all(dataset, location, entry)
    except OSError as error:
        raise DataError(
            f"decoded images of {entry.name} cannot be kept in {root}: {error.strerror or error}",
            hint="make room there, or choose another folder with --cache-dir",
        ) from error


def _remove_leftovers(entry: CacheEntry) -> None:
    """Remove what killed processes left; only whoever holds the lock knows that they are dead."""
    for path in entry.folder.parent.glob(f".{entry.folder.name}-*"):
        shutil.rmtree(path, ignore_errors=True)


def _decode_all(dataset: Dataset, location: DataLocation, entry: CacheEntry) -> None:
    temporary = _temporary_folder(entry)
    try:
        for split in entry.description.sizes:
            _decode(_chunks(dataset, location, split, entry), entry.description, split, temporary)
        write_manifest(entry, temporary)
        _move(temporary, entry)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary_folder(entry: CacheEntry) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{entry.folder.name}-", dir=entry.folder.parent))


def _chunks(
    dataset: Dataset, location: DataLocation, split: str, entry: CacheEntry
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """What the dataset reads; its own trouble with files is not mistaken for the cache's."""
    try:
        yield from dataset.read(location, split)
    except OSError as error:
        raise DataError(f"the {split} images of {entry.name} cannot be read: {error}") from error


def _decode(
    chunks: Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]],
    description: DatasetDescription,
    split: str,
    folder: Path,
) -> None:
    """Write one split chunk by chunk; memory holds one chunk at a time."""
    count, shape = description.sizes[split], description.shape
    labels = np.zeros(count, dtype=np.int64)
    start = 0
    # Not through a memory map: with that, a full disk ends the process instead of raising.
    with (folder / images_file(split)).open("wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)),
            "fortran_order": False,
            "shape": (count, shape.channels, shape.height, shape.width),
        }
        np.lib.format.write_array_header_1_0(file, header)
        for pixels, chunk_labels in chunks:
            stop = start + len(pixels)
            _check_chunk(pixels, chunk_labels, stop, description, split)
            file.write(np.ascontiguousarray(pixels).data)
            labels[start:stop] = chunk_labels
            start = stop
    if start != count:
        raise DataError(f"the {split} split holds {start} images, {count} were announced")
    np.save(folder / labels_file(split), labels)


def _check_chunk(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    stop: int,
    description: DatasetDescription,
    split: str,
) -> None:
    shape, count = description.shape, description.sizes[split]
    expected = (len(labels), shape.channels, shape.height, shape.width)
    if pixels.dtype != np.uint8 or pixels.shape != expected:
        raise DataError(
            f"the {split} split has {pixels.dtype} images of shape {pixels.shape}, "
            f"announced are uint8 images of shape {expected}"
        )
    if labels.dtype.kind not in "iu":
        raise DataError(f"the {split} split has {labels.dtype} labels, not whole numbers")
    if stop > count:
        raise DataError(f"the {split} split holds more images than the announced {count}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(description.classes):
        raise DataError(
            f"the {split} split has labels from {labels.min()} to {labels.max()} "
            f"for {len(description.classes)} classes"
        )


def _move(temporary: Path, entry: CacheEntry) -> None:
    """Put the finished folder in place of a missing or damaged one."""
    if entry.folder.exists():
        aside = _temporary_folder(entry)
        entry.folder.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        temporary.replace(entry.folder)
    except OSError:
        # Where files cannot be locked another process may be quicker; a whole copy is as good.
        if read(entry) is None:
            raise

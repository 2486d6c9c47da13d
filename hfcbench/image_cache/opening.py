"""Opening a dataset: from its decoded copy where that is whole, otherwise decoding it now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from hfcbench.errors import DataError
from hfcbench.image_cache.building import build
from hfcbench.image_cache.stored import FORMAT, CachedDataset, CacheEntry, plain, read
from hfcbench.types import JSON, DataLocation, Dataset, DatasetDescription

__all__ = ["CachedDataset", "open_dataset"]


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

    The cached files' hashes are compared with the manifest at every call; what is damaged or
    half-written is decoded again. Any number of processes may open the same dataset at once.

    Args:
        dataset: what can decode it.
        name, version, parameters: with the description, the key in the cache.
        location: where its files lie.
        cache_root: folder of the cache; made if missing.

    Raises:
        DataError: the dataset is missing or broken, or the cache cannot be written.
    """
    dataset.prepare(location)
    description = dataset.describe(location)
    key = _key(name, version, parameters, description)
    entry = CacheEntry(cache_root / f"{name}-{key[:16]}", key, name, description)
    cached = read(entry)
    if cached is None:
        build(dataset, location, entry)
        cached = read(entry)
    if cached is None:
        raise DataError(
            f"the decoded copy of {name} in {entry.folder} is damaged right after it was written",
            hint="check the disk, or choose another folder with --cache-dir",
        )
    return cached


def _key(
    name: str, version: str, parameters: Mapping[str, JSON], description: DatasetDescription
) -> str:
    content = [FORMAT, name, version, dict(parameters), plain(description)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

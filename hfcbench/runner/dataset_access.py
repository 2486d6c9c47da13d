"""Datasets by reference, each opened once per process through the image cache."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from hfcbench.errors import DataError
from hfcbench.image_cache import CachedDataset, open_dataset
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.results.records import DatasetRecord
from hfcbench.runner.specification import DatasetKey
from hfcbench.types import DataLocation, ImageSplit


@dataclass
class DatasetAccess:
    """Opens datasets at a location, decoding them into ``cache_root`` where that is missing."""

    registry: Registry
    location: DataLocation
    cache_root: Path
    _opened: dict[str, CachedDataset] = field(default_factory=dict)

    def open(self, reference: Reference) -> CachedDataset:
        """The decoded dataset.

        Raises:
            DataError: it is missing, broken, or lacks the train or test split.
        """
        if reference.label not in self._opened:
            opened = open_dataset(
                self.registry.create(reference),
                name=reference.name,
                version=reference.version,
                parameters=reference.parameters,
                location=self.location,
                cache_root=self.cache_root,
            )
            for split in ("train", "test"):
                if not len(opened.splits.get(split, ())):
                    raise DataError(f"dataset {reference.label} has no images to {split} on")
            self._opened[reference.label] = opened
        return self._opened[reference.label]

    def key(self, reference: Reference) -> DatasetKey:
        """The dataset as specifications refer to it."""
        opened = self.open(reference)
        return DatasetKey(
            reference.name,
            title_of(reference),
            reference.version,
            opened.fingerprint,
            opened.description.shape,
            len(opened.description.classes),
            opened.description.sizes["train"],
            opened.description.sizes["test"],
            reference,
        )

    def record(self, key: DatasetKey) -> DatasetRecord:
        """The dataset as the store keeps it."""
        opened = self.open(key.reference)
        return DatasetRecord(
            key.title,
            key.version,
            key.reference.parameters,
            opened.fingerprint,
            opened.description,
        )

    def split(self, key: DatasetKey, split: str, samples: int | None) -> ImageSplit:
        """A split's images, or a fixed random choice of ``samples`` of them.

        Raises:
            DataError: the dataset's content is no longer that of the plan.
        """
        opened = self.open(key.reference)
        if opened.fingerprint != key.fingerprint:
            raise DataError(
                f"dataset {key.name} has changed since the plan was made: "
                f"fingerprint {opened.fingerprint[:12]} instead of {key.fingerprint[:12]}"
            )
        return opened.splits[split].sample(samples)


def title_of(reference: Reference) -> str:
    """The label without the folders above a path: they differ from machine to machine."""
    return re.sub(r":.*[/\\\\](?=[^/\\\\])", ":", reference.label)

"""Datasets by reference, each opened once per process through the image cache."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hfcbench.detection.opening import PictureDataset, open_pictures
from hfcbench.detection_types import Picture
from hfcbench.errors import DataError
from hfcbench.image_cache import CachedDataset, open_dataset
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.results.records import DatasetRecord
from hfcbench.runner.specification import DatasetKey
from hfcbench.sampling import chosen_images
from hfcbench.types import DataLocation, Dataset, DatasetDescription, ImageSplit, task_of


@dataclass
class DatasetAccess:
    """Opens datasets at a location, decoding them into ``cache_root`` where that is missing."""

    registry: Registry
    location: DataLocation
    cache_root: Path
    _opened: dict[str, CachedDataset | PictureDataset] = field(default_factory=dict)

    def open(self, reference: Reference) -> CachedDataset | PictureDataset:
        """The decoded dataset, or the pictures of a detection dataset.

        Raises:
            DataError: it is missing, broken, or lacks the test split or, unless it is for
                detection, the train split.
        """
        if reference.label not in self._opened:
            dataset = self.registry.create(reference)
            opened: CachedDataset | PictureDataset
            if task_of(dataset) == "detection":
                opened, needed = open_pictures(dataset, self.location), ["test"]
            else:
                opened, needed = self._decoded(dataset, reference), ["train", "test"]
            for split in needed:
                if not len(opened.splits.get(split, ())):
                    raise DataError(f"dataset {reference.label} has no images to {split} on")
            self._opened[reference.label] = opened
        return self._opened[reference.label]

    def _decoded(self, dataset: Dataset, reference: Reference) -> CachedDataset:
        return open_dataset(
            dataset,
            name=reference.name,
            version=reference.version,
            parameters=reference.parameters,
            location=self.location,
            cache_root=self.cache_root,
        )

    def key(self, reference: Reference) -> DatasetKey:
        """The dataset as specifications refer to it."""
        opened = self.open(reference)
        return dataset_key(reference, opened.fingerprint, opened.description)

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
        opened = self._unchanged(key)
        if isinstance(opened, PictureDataset):
            raise DataError(f"dataset {key.title} is for detection; its pictures have no labels")
        return opened.splits[split].sample(samples)

    def pictures(self, key: DatasetKey, split: str, samples: int | None) -> Sequence[Picture]:
        """A split's pictures, or a fixed random choice of ``samples`` of them.

        Raises:
            DataError: the dataset's content is no longer that of the plan, or it has no boxes.
        """
        opened = self._unchanged(key)
        if not isinstance(opened, PictureDataset):
            raise DataError(f"dataset {key.title} is for classification; it has no boxes")
        found = opened.splits.get(split, ())
        return [found[position] for position in chosen_images(len(found), samples)]

    def _unchanged(self, key: DatasetKey) -> CachedDataset | PictureDataset:
        opened = self.open(key.reference)
        if opened.fingerprint != key.fingerprint:
            raise DataError(
                f"dataset {key.name} has changed since the plan was made: "
                f"fingerprint {opened.fingerprint[:12]} instead of {key.fingerprint[:12]}"
            )
        return opened


def dataset_key(
    reference: Reference, fingerprint: str, description: DatasetDescription
) -> DatasetKey:
    """The dataset as specifications refer to it, from what is known of it."""
    detected = description.task == "detection"
    return DatasetKey(
        reference.name,
        title_of(reference),
        reference.version,
        fingerprint,
        description.shape,
        len(description.classes),
        description.sizes.get("train", 0),
        description.sizes["test"],
        reference,
        description.task,
        tuple(description.classes) if detected else (),
    )


def title_of(reference: Reference) -> str:
    """The label without the folders above a path: they differ from machine to machine."""
    return re.sub(r":.*[/\\\\](?=[^/\\\\])", ":", reference.label)

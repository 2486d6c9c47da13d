"""What a dataset of labelled images promises."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from hfcbench.errors import DataError
from hfcbench.image_cache import CachedDataset, open_dataset
from hfcbench.references import Kind
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import DataLocation, Dataset, DatasetDescription


class DatasetContract(PluginContract):
    """Tests of a dataset; see :class:`hfcbench.types.Dataset`.

    Attributes:
        location: where its files lie, for a dataset that has any.
    """

    kind: ClassVar[Kind] = "dataset"
    location: DataLocation = DataLocation()

    def test_it_holds_what_it_announces(self) -> None:
        """Images of one shape, uint8, as many as announced, and labels of its classes."""
        with tempfile.TemporaryDirectory() as folder:
            self._opened(Path(folder))

    def test_it_can_be_trained_and_tested_on(self) -> None:
        """Both splits have images, and classes have different names."""
        description = self._description()
        for split in ("train", "test"):
            if not description.sizes.get(split):
                raise self.fail(f"has no images in its split '{split}'")
        if len(set(description.classes)) != len(description.classes):
            raise self.fail("has two classes of one name")

    def test_it_is_the_same_twice(self) -> None:
        """Description, images, labels and their order, also of a second object."""
        if self._description() != self._description():
            raise self.fail("describes itself differently at a second call")
        for split in self._description().sizes:
            if list(self._hashes(split)) != list(self._hashes(split)):
                raise self.fail(
                    f"has other {split} images or labels at a second reading",
                    hint="seed what is drawn, and sort what the file system lists",
                )

    def test_splits_share_no_image(self) -> None:
        """Or a test score would be one of training images."""
        seen: dict[str, str] = {}
        for split in self._description().sizes:
            hashes = {image for image, _ in self._hashes(split)}
            for image in hashes:
                if image in seen:
                    raise self.fail(f"has an image in both {seen[image]} and {split}")
            seen |= dict.fromkeys(hashes, split)

    def _dataset(self) -> Dataset:
        dataset: Dataset = self.made()
        dataset.prepare(self.location)
        return dataset

    def _description(self) -> DatasetDescription:
        description: object = self._dataset().describe(self.location)
        if not isinstance(description, DatasetDescription):
            raise self.fail(f"describes itself by a {type(description).__name__}")
        return description

    def _hashes(self, split: str) -> Iterator[tuple[str, int]]:
        """The sha256 of each image, and its label."""
        for images, labels in self._dataset().read(self.location, split):
            for image, label in zip(images, labels, strict=True):
                yield hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest(), int(label)

    def _opened(self, cache: Path) -> CachedDataset:
        reference = self.reference
        try:
            return open_dataset(
                self._dataset(),
                name=reference.name,
                version=reference.version,
                parameters=reference.parameters,
                location=self.location,
                cache_root=cache,
            )
        except DataError as error:
            raise self.fail(f"is not what it says: {error.what}", hint=error.hint) from error

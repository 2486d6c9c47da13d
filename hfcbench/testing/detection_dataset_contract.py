"""What a dataset of pictures with boxes promises."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from hfcbench.detection.picture_sets import pixels_of
from hfcbench.detection_types import DetectionDataset, Picture
from hfcbench.errors import DataError
from hfcbench.references import Kind
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import DataLocation, DatasetDescription, task_of

_DECODED = 5


class DetectionDatasetContract(PluginContract):
    """Tests of a detection dataset; see :class:`hfcbench.detection_types.DetectionDataset`.

    Attributes:
        location: where its files lie, for a dataset that has any.
    """

    kind: ClassVar[Kind] = "dataset"
    location: DataLocation = DataLocation()

    def test_it_says_that_it_is_for_detection(self) -> None:
        """Both the class and its description."""
        if task_of(self.made()) != "detection" or self._description().task != "detection":
            raise self.fail("does not say task = 'detection', in its class and its description")

    def test_it_holds_what_it_announces(self) -> None:
        """As many pictures, of different names, each with the pixels that it says."""
        for split, size in self._description().sizes.items():
            pictures = self._pictures(split)
            if len(pictures) != size:
                raise self.fail(f"has {len(pictures)} {split} pictures, announced are {size}")
            if len({picture.name for picture in pictures}) != size:
                raise self.fail(f"has two {split} pictures of one name")
            for picture in pictures[:_DECODED]:
                try:
                    pixels_of(picture)
                except DataError as error:
                    raise self.fail(f"is not what it says: {error.what}") from error

    def test_objects_lie_in_their_pictures_and_are_of_its_classes(self) -> None:
        """Boxes are left, top, right, bottom in pixels; arrays fit together."""
        description = self._description()
        for split in description.sizes:
            for picture in self._pictures(split):
                self._check_objects(picture, len(description.classes))

    def test_it_is_the_same_twice(self) -> None:
        """Names, contents, objects and pixels, also of a second object."""
        for split in self._description().sizes:
            first, again = self._pictures(split), self._pictures(split)
            if list(map(_content, first)) != list(map(_content, again)):
                raise self.fail(f"has other {split} pictures or objects at a second call")
            for picture, same in zip(first[:_DECODED], again[:_DECODED], strict=True):
                if not np.array_equal(picture.read(), same.read()):
                    raise self.fail(f"has other pixels of {picture.name} at a second reading")

    def test_splits_share_no_picture(self) -> None:
        """Or a test score would be one of training pictures."""
        seen: dict[str, str] = {}
        for split in self._description().sizes:
            contents = {picture.content: split for picture in self._pictures(split)}
            for content in contents:
                if content in seen:
                    raise self.fail(f"has a picture in both {seen[content]} and {split}")
            seen |= contents

    def _check_objects(self, picture: Picture, classes: int) -> None:
        objects, count = picture.objects, len(picture.objects.classes)
        shapes = [item.shape for item in (objects.boxes, objects.areas, objects.crowds)]
        if shapes != [(count, 4), (count,), (count,)]:
            raise self.fail(f"has boxes, areas and crowds of shapes {shapes} in {picture.name}")
        if not count:
            return
        if not 0 <= objects.classes.min() <= objects.classes.max() < classes:
            raise self.fail(f"has labels outside of 0..{classes - 1} in {picture.name}")
        left, top, right, bottom = objects.boxes.T
        inside = (left.min() >= 0, top.min() >= 0, right.max() <= picture.width)
        if not all(inside) or bottom.max() > picture.height:
            raise self.fail(f"has a box that leaves its picture {picture.name}")
        if (right < left).any() or (bottom < top).any():
            raise self.fail(f"has a box whose right or bottom edge comes first in {picture.name}")

    def _dataset(self) -> DetectionDataset:
        dataset: DetectionDataset = self.made()
        dataset.prepare(self.location)
        return dataset

    def _description(self) -> DatasetDescription:
        return self._dataset().describe(self.location)

    def _pictures(self, split: str) -> Sequence[Picture]:
        return self._dataset().pictures(self.location, split)


def _content(picture: Picture) -> tuple[str, str, int, int, str]:
    objects = picture.objects
    arrays = (objects.boxes, objects.classes, objects.areas, objects.crowds)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(item).tobytes() for item in arrays))
    return picture.name, picture.content, picture.height, picture.width, digest.hexdigest()

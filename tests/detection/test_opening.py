"""A detection dataset's fingerprint changes with everything that is in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from hfcbench.detection.opening import open_pictures
from hfcbench.types import DataLocation


@dataclass(frozen=True)
class Changed:
    """A dataset with one picture replaced."""

    dataset: object
    picture: object

    def prepare(self, location):
        self.dataset.prepare(location)

    def describe(self, location):
        return self.dataset.describe(location)

    def pictures(self, location, split):
        pictures = list(self.dataset.pictures(location, split))
        if split == "test":
            pictures[1] = self.picture
        return pictures


def fingerprint(dataset):
    return open_pictures(dataset, DataLocation()).fingerprint


def test_the_same_content_has_the_same_fingerprint(squares):
    opened = open_pictures(squares(), DataLocation())
    assert opened.fingerprint == fingerprint(squares())
    assert {split: len(pictures) for split, pictures in opened.splits.items()} == {
        "train": 12,
        "test": 6,
    }


def test_a_split_without_pictures_is_none(squares):
    assert list(open_pictures(squares(train=0), DataLocation()).splits) == ["test"]


@pytest.mark.parametrize("what", ["name", "size", "content", "boxes", "classes", "crowds", "areas"])
def test_whatever_changes_shows(squares, what):
    dataset = squares()
    picture = dataset.pictures(DataLocation(), "test")[1]
    objects = picture.objects
    changes = {
        "name": {"name": "another.png"},
        "size": {"width": picture.width + 1},
        "content": {"content": "other pixels"},
        "boxes": {"objects": replace(objects, boxes=objects.boxes + np.float32(0.5))},
        "classes": {"objects": replace(objects, classes=1 - objects.classes)},
        "crowds": {"objects": replace(objects, crowds=~objects.crowds)},
        "areas": {"objects": replace(objects, areas=objects.areas + np.float32(1))},
    }
    before = fingerprint(Changed(dataset, picture))
    assert before == fingerprint(dataset)
    assert fingerprint(Changed(dataset, replace(picture, **changes[what]))) != before

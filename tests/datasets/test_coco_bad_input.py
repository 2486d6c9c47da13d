"""coco: whatever is wrong with annotations or pictures ends in one message that names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hfcbench.datasets.coco import Coco
from hfcbench.errors import DataError
from hfcbench.types import DataLocation

Spoil = Callable[[dict[str, Any]], object]


def prepared(folder: Path, **parameters: Any) -> None:
    Coco(str(folder), **parameters).prepare(DataLocation())


def annotate(key: str, value: Any) -> Spoil:
    return lambda document: document["annotations"][0].update({key: value})


def picture(key: str, value: Any) -> Spoil:
    return lambda document: document["images"][1].update({key: value})


def category(key: str, value: Any) -> Spoil:
    return lambda document: document["categories"][2].update({key: value})


WRONG: dict[str, tuple[Spoil, str]] = {
    "no images": (lambda d: d.pop("images"), "it has no list of objects 'images'"),
    "no annotations": (lambda d: d.pop("annotations"), "no list of objects 'annotations'"),
    "no categories": (lambda d: d.pop("categories"), "no list of objects 'categories'"),
    "empty images": (lambda d: d["images"].clear(), "it lists no pictures"),
    "empty categories": (lambda d: d["categories"].clear(), "it lists no categories"),
    "numbers for images": (lambda d: d.update(images=[1, 2]), "no list of objects 'images'"),
    "unlisted picture": (
        annotate("image_id", 31),
        "annotation 900 is of picture 31, which is not listed",
    ),
    "unknown category": (
        annotate("category_id", 2),
        r"annotation 900 of picture 'c\.png' is of category 2, which is not listed",
    ),
    "same annotation": (annotate("id", 4), "two annotations have the id 4"),
    "same picture id": (picture("id", 30), r"'c\.png' and 'a\.png' both have the id 30"),
    "same file": (picture("file_name", "c.png"), r"two pictures have the file name 'c\.png'"),
    "same file by another name": (picture("file_name", "./c.png"), r"the file name 'c\.png'"),
    "same category id": (category("id", 1), "two categories have the id 1"),
    "same category name": (category("name", "dog"), "two categories are called 'dog'"),
    "up": (picture("file_name", "../a.png"), r"picture 7 has the file_name '\.\./a\.png', which"),
    "up later": (picture("file_name", "x/../../a.png"), "leads out of the folder"),
    "absolute": (picture("file_name", "/etc/passwd"), "leads out of the folder"),
    "the folder": (picture("file_name", "."), "leads out of the folder"),
    "no file name": (lambda d: d["images"][1].pop("file_name"), "picture 7 has no file_name"),
    "number as name": (picture("file_name", 5), "picture 7 has the file_name 5, not a text"),
    "zero byte": (picture("file_name", "a\0.png"), "not a text"),
    "half a letter": (picture("file_name", "\ud800.png"), "not a valid text"),
    "no width": (lambda d: d["images"][1].pop("width"), r"picture 'a\.png' has no width"),
    "no pixels": (picture("height", 0), r"picture 'a\.png' has the height 0, which no picture"),
    "huge": (picture("height", 10**30), "which no picture has"),
    "half pixels": (picture("width", 30.5), r"'a\.png' has the width 30\.5, not a whole number"),
    "true as id": (picture("id", True), "a picture has the id True, not a whole number"),
    "text as id": (picture("id", "7"), "a picture has the id '7', not a whole number"),
    "nan": (
        annotate("bbox", [1, 2, float("nan"), 3]),
        r"annotation 900 of picture 'c\.png' has the bbox \[1, 2, nan, 3\], not four finite",
    ),
    "infinite": (annotate("bbox", [1, 2, 3, float("inf")]), "not four finite numbers"),
    "more than floats hold": (annotate("bbox", [1, 2, 3, 10**400]), "not four finite numbers"),
    "text in box": (annotate("bbox", [1, 2, "3", 4]), "not four finite numbers"),
    "three numbers": (annotate("bbox", [1, 2, 3]), "not four finite numbers"),
    "no box": (lambda d: d["annotations"][0].pop("bbox"), r"picture 'c\.png' has no bbox"),
    "negative area": (annotate("area", -1), "has the area -1, not a number of square pixels"),
    "nan area": (annotate("area", float("nan")), "has the area nan"),
    "half a crowd": (annotate("iscrowd", 0.5), r"the iscrowd 0\.5, neither 0 nor 1"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_is_named_before_anything_runs(coco_folder, coco_document, how):
    spoil, message = WRONG[how]
    spoil(coco_document)
    file = coco_folder / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(coco_document))
    with pytest.raises(DataError, match=message) as raised:
        prepared(coco_folder)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("\xff", "is not JSON"),
        ("[]", "it holds no object with images"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_annotation_file(coco_folder, text, message):
    file = coco_folder / "annotations" / "instances_val2017.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        prepared(coco_folder)


def test_a_long_value_is_not_quoted_in_full(coco_folder, coco_document):
    coco_document["annotations"][0]["bbox"] = [0.5] * 10_000
    file = coco_folder / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(coco_document))
    with pytest.raises(DataError, match=r"the bbox \[0\.5, .*\.\.\., not four") as raised:
        prepared(coco_folder)
    assert len(str(raised.value)) < 1000


def test_boxes_of_classes_that_are_not_chosen_are_checked_too(coco_folder, coco_document):
    coco_document["annotations"][0]["bbox"] = None
    file = coco_folder / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(coco_document))
    with pytest.raises(DataError, match="the bbox None"):
        prepared(coco_folder, classes=("dog",))


def test_a_class_that_is_not_there_comes_with_its_nearest(coco_folder):
    with pytest.raises(DataError, match=r"no category is called 'persn'; did you mean 'person'\?"):
        prepared(coco_folder, classes=("persn",))


def test_splits_with_other_categories(coco_folder, coco_document, write_coco):
    coco_document["categories"][0]["name"] = "wolf"
    write_coco(coco_folder, coco_document, "mine")
    dataset = Coco(str(coco_folder), train="mine")
    dataset.prepare(DataLocation())
    with pytest.raises(DataError, match=r"instances_mine\.json and .* do not list the same"):
        dataset.describe(DataLocation())


def test_missing_pictures_are_found_before_a_run(coco_folder):
    (coco_folder / "val2017" / "a.png").unlink()
    (coco_folder / "val2017" / "deep" / "b.png").unlink()
    dataset = Coco(str(coco_folder))
    for step in (dataset.prepare, dataset.describe):
        with pytest.raises(DataError, match=r"2 of the 3 pictures .*: a\.png, deep/b\.png"):
            step(DataLocation())


def spoil_picture(path: Path, how: str) -> None:
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "no picture":
        path.write_bytes(b"not a picture")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        Image.new("RGB", (29, 50)).save(path)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", r"a\.png cannot be decoded: .*truncated"),
        ("no picture", r"a\.png cannot be decoded: not a picture"),
        ("empty", r"a\.png cannot be decoded: not a picture"),
        ("other size", r"a\.png has 29x50 pixels, its annotation file says 30x50"),
    ],
)
def test_a_picture_that_cannot_be_used(coco_folder, how, message):
    spoil_picture(coco_folder / "val2017" / "a.png", how)
    first, second, _ = Coco(str(coco_folder)).pictures(DataLocation(), "test")
    with pytest.raises(DataError, match=message):
        first.read()
    assert second.read().shape == (3, 20, 20)


def test_a_picture_that_changes_during_a_run(coco_folder):
    path = coco_folder / "val2017" / "a.png"
    first, *_ = Coco(str(coco_folder)).pictures(DataLocation(), "test")
    Image.new("RGB", (30, 50)).save(path)
    with pytest.raises(DataError, match=r"a\.png was replaced"):
        first.read()
    path.unlink()
    with pytest.raises(DataError, match=r"a\.png cannot be read: No such file"):
        first.read()


def test_a_picture_that_goes_before_it_is_hashed(coco_folder):
    (coco_folder / "val2017" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png cannot be read: No such file"):
        Coco(str(coco_folder)).pictures(DataLocation(), "test")

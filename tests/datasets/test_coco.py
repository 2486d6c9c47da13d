"""coco: boxes, classes and pictures as COCO's own tools read them."""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO

from hfcbench.datasets.coco import Coco
from hfcbench.datasets.coco_annotations import read_annotations
from hfcbench.datasets.coco_pictures import contents_of, read_picture
from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.types import DataLocation, ImageShape

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"
_numbers = itertools.count()


def opened(folder: Path, split: str = "test", **parameters):
    dataset, location = Coco(str(folder), **parameters), DataLocation()
    dataset.prepare(location)
    return dataset.describe(location), dataset.pictures(location, split)


def test_a_small_folder_is_what_its_annotations_say(coco_folder):
    description, pictures = opened(coco_folder)

    assert description.task == "detection"
    # Category ids 1, 18, 90 are positions 0, 1, 2, whatever their order in the file.
    assert description.classes == ("person", "dog", "toothbrush")
    assert description.sizes == {"train": 0, "test": 3}
    assert description.shape == ImageShape(3, 50, 60)
    assert [picture.name for picture in pictures] == ["a.png", "deep/b.png", "c.png"]
    assert [(p.height, p.width) for p in pictures] == [(50, 30), (20, 20), (40, 60)]
    objects = pictures[2].objects
    np.testing.assert_array_equal(objects.boxes, [[0, 0, 60, 40], [10.5, 5.25, 30.5, 35.25]])
    assert objects.classes.tolist() == [0, 2]
    assert objects.areas.tolist() == [2400, 333.5]
    assert objects.crowds.tolist() == [True, False]
    assert [objects.boxes.dtype, objects.areas.dtype] == [np.float32, np.float32]
    assert [objects.classes.dtype, objects.crowds.dtype] == [np.int64, np.bool_]


def test_a_picture_without_objects_stays(coco_folder):
    _, pictures = opened(coco_folder)
    empty = pictures[1].objects
    assert len(empty) == 0
    assert empty.boxes.shape == (0, 4)
    assert empty.crowds.dtype == np.bool_


def check_against_pycocotools(folder: Path, description, pictures) -> int:
    reference = COCO(str(folder / "annotations" / "instances_val2017.json"))
    categories = sorted(reference.getCatIds())
    assert list(description.classes) == [c["name"] for c in reference.loadCats(categories)]
    count = 0
    assert [p.name for p in pictures] == [
        image["file_name"] for image in reference.loadImgs(sorted(reference.getImgIds()))
    ]
    for number, picture in zip(sorted(reference.getImgIds()), pictures, strict=True):
        annotations = reference.loadAnns(sorted(reference.getAnnIds(imgIds=[number])))
        boxes = np.array([a["bbox"] for a in annotations]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(picture.objects.boxes, boxes, rtol=0, atol=0.02)
        found = [categories[position] for position in picture.objects.classes]
        assert found == [a["category_id"] for a in annotations]
        areas = np.array([a["area"] for a in annotations], dtype=np.float32)
        np.testing.assert_array_equal(picture.objects.areas, areas)
        assert picture.objects.crowds.tolist() == [a["iscrowd"] == 1 for a in annotations]
        count += len(annotations)
    return count


def test_pycocotools_reads_the_same(coco_folder):
    description, pictures = opened(coco_folder)
    assert check_against_pycocotools(coco_folder, description, pictures) == 3


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real datasets are not at hand")
def test_real_coco_pictures_are_read(tmp_path):
    subprocess.run(["bash", REAL_DATA / "unpack.sh", tmp_path, "coco64"], check=True)
    dataset, location = Coco(), DataLocation(tmp_path)
    dataset.prepare(location)
    pictures = dataset.pictures(location, "test")
    description = dataset.describe(location)
    assert description.sizes == {"train": 0, "test": 64}
    assert len(description.classes) == 80
    count = check_against_pycocotools(tmp_path / "coco", description, pictures)
    annotations = read_annotations(tmp_path / "coco" / "annotations" / "instances_val2017.json")
    assert (count, annotations.dropped) == (430, 0)
    for picture in pictures[:8]:
        with Image.open(tmp_path / "coco" / "val2017" / picture.name) as image:
            expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
        np.testing.assert_array_equal(picture.read(), expected)


def test_the_order_in_the_file_does_not_matter(tmp_path, coco_document, write_coco):
    write_coco(tmp_path / "one", coco_document, "val2017")
    for part in coco_document.values():
        random.Random(1).shuffle(part)
    write_coco(tmp_path / "other", coco_document, "val2017")
    (one, pictures), (other, others) = opened(tmp_path / "one"), opened(tmp_path / "other")
    assert one.classes == other.classes
    for first, second in zip(pictures, others, strict=True):
        assert first.name == second.name
        for part in ("boxes", "classes", "areas", "crowds"):
            np.testing.assert_array_equal(
                getattr(first.objects, part), getattr(second.objects, part)
            )


def test_chosen_classes_only(coco_folder):
    description, pictures = opened(coco_folder, classes=["toothbrush", "dog"])
    assert description.classes == ("dog", "toothbrush")
    assert description.sizes["test"] == 3
    assert [p.objects.classes.tolist() for p in pictures] == [[0], [], [1]]


@pytest.mark.parametrize("train", ["val2017", "mine"])
def test_training_pictures_may_be_the_same_or_others(coco_folder, coco_document, write_coco, train):
    coco_document["images"] = coco_document["images"][:2]
    write_coco(coco_folder, coco_document, "mine")
    description, pictures = opened(coco_folder, split="train", train=train)
    count = 3 if train == "val2017" else 2
    assert description.sizes == {"train": count, "test": 3}
    assert len(pictures) == count


def test_without_a_training_split_it_is_empty(coco_folder):
    assert len(opened(coco_folder, split="train")[1]) == 0


def test_contents_are_the_files_and_pictures_can_go_to_other_processes(coco_folder):
    _, pictures = opened(coco_folder)
    for picture in pictures:
        file = coco_folder / "val2017" / picture.name
        assert picture.content == hashlib.sha256(file.read_bytes()).hexdigest()
        with Image.open(file) as image:
            expected = np.asarray(image).transpose(2, 0, 1)
        pixels = pickle.loads(pickle.dumps(picture.read))()
        assert pixels.dtype == np.uint8
        assert pixels.flags.writeable
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("kind", ["L", "CMYK", "P"])
def test_each_kind_of_picture_becomes_rgb(tmp_path, kind):
    path = tmp_path / ("x.png" if kind == "P" else "x.jpg")
    Image.new("RGB", (16, 8), (204, 0, 102)).convert(kind).save(path)
    (content,) = contents_of([path])
    pixels = read_picture(path, 8, 16, content)
    assert pixels.shape == (3, 8, 16)
    with Image.open(path) as image:
        expected = image.convert("RGB").getpixel((5, 5))
    assert pixels[:, 5, 5].tolist() == list(expected)
    if kind != "L":
        np.testing.assert_allclose(pixels[:, 5, 5], (204, 0, 102), atol=6)


def test_pictures_are_not_turned_as_exif_says(tmp_path):
    stored = np.zeros((8, 16, 3), dtype=np.uint8)
    stored[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(stored).save(path, exif=exif)
    (content,) = contents_of([path])
    np.testing.assert_array_equal(read_picture(path, 8, 16, content), stored.transpose(2, 0, 1))


def test_a_changed_file_changes_the_source(coco_folder, coco_document):
    before = opened(coco_folder)[0].source
    assert opened(coco_folder)[0].source == before
    Image.new("RGB", (30, 50)).save(coco_folder / "val2017" / "a.png")
    after = opened(coco_folder)[0].source
    coco_document["annotations"][0]["bbox"][0] = 11.25
    file = coco_folder / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(coco_document))
    assert len({before, after, opened(coco_folder)[0].source}) == 3


anywhere = st.floats(-100, 200, allow_nan=False) | st.sampled_from([0.0, 60.0, 40.0, 1e308, -1e308])
one_box = st.tuples(anywhere, anywhere, anywhere, anywhere)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(boxes=st.lists(one_box, max_size=4))
def test_boxes_are_cut_at_the_edges_and_never_empty(tmp_path, boxes):
    annotations = [
        {"id": number, "image_id": 1, "category_id": 1, "bbox": list(box)}
        for number, box in enumerate(boxes)
    ]
    image = {"id": 1, "file_name": "x.png", "height": 40, "width": 60}
    path = tmp_path / f"{next(_numbers)}.json"
    path.write_text(
        json.dumps(
            {
                "images": [image],
                "annotations": annotations,
                "categories": [{"id": 1, "name": "thing"}],
            }
        )
    )
    expected = []
    for left, top, width, height in boxes:
        edges = np.float32(
            [
                sorted((0, left, 60))[1],
                sorted((0, top, 40))[1],
                sorted((0, left + width, 60))[1],
                sorted((0, top + height, 40))[1],
            ]
        )
        if edges[2] > edges[0] and edges[3] > edges[1]:
            expected.append(edges)

    found = read_annotations(path)
    objects = found.pictures[0].objects
    np.testing.assert_array_equal(objects.boxes, np.array(expected).reshape(-1, 4))
    assert found.dropped == len(boxes) - len(expected)
    # Without an area of its own an object's is its box's.
    sides = objects.boxes[:, 2:] - objects.boxes[:, :2]
    np.testing.assert_allclose(objects.areas, sides.prod(axis=1), rtol=1e-6)
    assert (objects.areas > 0).all()


def test_clipped_boxes_are_counted_and_keep_their_area(tmp_path, coco_document, write_coco):
    first, second, _ = coco_document["annotations"]
    first["bbox"] = [50, -5, 20, 15]
    second["bbox"] = [60, 0, 10, 10]
    write_coco(tmp_path, coco_document, "val2017")
    found = read_annotations(tmp_path / "annotations" / "instances_val2017.json")
    assert (found.clipped, found.dropped) == (1, 1)
    objects = found.pictures[2].objects
    np.testing.assert_array_equal(objects.boxes, [[50, 0, 60, 10]])
    assert objects.areas.tolist() == [333.5]


@pytest.mark.parametrize("name", ["../val2017", "..", ".", "", "a/b", "/etc", "a\0b"])
def test_a_split_is_a_plain_name(name):
    with pytest.raises(SpecificationError, match="is not the name of a split"):
        Coco(test=name)
    with pytest.raises(SpecificationError, match="is not the name of a split"):
        Coco(train=name)


def test_it_is_registered_with_its_folder_inline():
    registration = load_plugins(installed=()).registry.get("dataset", "coco")
    assert registration.argument == "folder"
    values = registration.schema.validate({"classes": ["dog"]})
    assert list(registration.schema.paths(values)) == [("folder", "coco")]
    with pytest.raises(SpecificationError, match="classes"):
        registration.schema.validate({"classes": []})

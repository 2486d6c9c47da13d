"""Small folders in COCO's layout, made on the fly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CATEGORIES = (
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 90, "name": "toothbrush", "supercategory": "indoor"},
)
IMAGES = (
    {"id": 30, "file_name": "c.png", "height": 40, "width": 60},
    {"id": 7, "file_name": "a.png", "height": 50, "width": 30},
    {"id": 12, "file_name": "deep/b.png", "height": 20, "width": 20},
)
ANNOTATIONS = (
    {
        "id": 900,
        "image_id": 30,
        "category_id": 90,
        "bbox": [10.5, 5.25, 20, 30],
        "area": 333.5,
        "iscrowd": 0,
        "segmentation": [[10.5, 5.25, 30.5, 5.25, 30.5, 35.25]],
    },
    {"id": 4, "image_id": 30, "category_id": 1, "bbox": [0, 0, 60, 40], "area": 2400, "iscrowd": 1},
    {"id": 5, "image_id": 7, "category_id": 18, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
)


def document() -> dict[str, Any]:
    """A fresh copy of an annotation file that is right."""
    parts = {"images": IMAGES, "annotations": ANNOTATIONS, "categories": CATEGORIES}
    copy: dict[str, Any] = json.loads(json.dumps(parts))
    return copy


def write_split(folder: Path, annotations: dict[str, Any], split: str) -> None:
    """The annotation file and the pictures that it lists, as noise."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(annotations))
    draw = np.random.default_rng(0)
    for image in annotations["images"]:
        path = folder / split / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (image["height"], image["width"], 3)
        Image.fromarray(draw.integers(0, 256, size, dtype=np.uint8)).save(path)


@pytest.fixture
def coco_document() -> dict[str, Any]:
    return document()


@pytest.fixture
def write_coco() -> Callable[[Path, dict[str, Any], str], None]:
    return write_split


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    """Three pictures of which the second by id has no objects."""
    folder = tmp_path / "coco"
    write_split(folder, document(), "val2017")
    return folder

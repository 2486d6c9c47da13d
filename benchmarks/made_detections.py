"""Pictures with objects as many and as large as COCO's, and what a middling detector makes of them.

Most objects are found, some twice, and the rest of up to 100 detections in a picture is noise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfcbench.detection_types import Detections, PictureSet

WIDTH, HEIGHT = 640, 480
OBJECTS = 7.3  # in a picture of COCO, on average


def made_detections(
    pictures: int, *, classes: int = 80, found: int = 90, seed: int = 0, ties: bool = False
) -> Detections:
    """A case that depends on its arguments alone.

    Args:
        pictures: how many; about one of a hundred has no objects.
        classes: the first is the most frequent, by Zipf's law.
        found: detections in a picture.
        ties: whether scores are rounded so that many are equal.
    """
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    share /= share.sum()
    made = [_picture(random, share, found) for _ in range(pictures)]
    objects, detections = zip(*made, strict=True)
    areas = np.concatenate([one["areas"] for one in objects])
    picture_set = PictureSet(
        names=tuple(f"{number:06d}.jpg" for number in range(pictures)),
        heights=np.full(pictures, HEIGHT),
        widths=np.full(pictures, WIDTH),
        counts=np.array([len(one["classes"]) for one in objects], dtype=np.int64),
        boxes=np.concatenate([one["boxes"] for one in objects]).astype(np.float32),
        classes=np.concatenate([one["classes"] for one in objects]),
        areas=areas.astype(np.float32),
        crowds=np.concatenate([one["crowds"] for one in objects]),
        class_names=tuple(f"class {number}" for number in range(classes)),
    )
    scores = np.concatenate([one["scores"] for one in detections])
    return Detections(
        pictures=picture_set,
        counts=np.array([len(one["classes"]) for one in detections], dtype=np.int64),
        boxes=np.concatenate([one["boxes"] for one in detections]).astype(np.float32),
        scores=(scores.round(2) if ties else scores).astype(np.float32),
        classes=np.concatenate([one["classes"] for one in detections]),
    )


def chosen_pictures(detections: Detections, chosen: NDArray[np.int64]) -> Detections:
    """These pictures in this order, some perhaps several times."""
    pictures = detections.pictures
    objects = _rows(pictures.counts, chosen)
    rows = _rows(detections.counts, chosen)
    picture_set = replace(
        pictures,
        names=tuple(f"{place}: {pictures.names[one]}" for place, one in enumerate(chosen)),
        heights=pictures.heights[chosen],
        widths=pictures.widths[chosen],
        counts=pictures.counts[chosen],
        boxes=pictures.boxes[objects],
        classes=pictures.classes[objects],
        areas=pictures.areas[objects],
        crowds=pictures.crowds[objects],
    )
    return Detections(
        pictures=picture_set,
        counts=detections.counts[chosen],
        boxes=detections.boxes[rows],
        scores=detections.scores[rows],
        classes=detections.classes[rows],
    )


def _rows(counts: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = np.cumsum(counts)
    rows = [np.arange(ends[one] - counts[one], ends[one]) for one in chosen]
    return np.concatenate([np.zeros(0, np.int64), *rows])


def _picture(
    random: np.random.Generator, share: NDArray[np.float64], found: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    count = 0 if random.random() < 0.01 else min(int(random.geometric(1 / OBJECTS)), 60)
    present = random.choice(len(share), size=4, p=share)  # COCO: 2.9 classes in a picture
    classes = present[random.integers(4, size=count)]
    boxes = _boxes(random, count, 10, 400)
    areas = _areas(boxes) * random.uniform(0.5, 1, count)
    crowds = random.random(count) < 0.01
    objects = {"boxes": boxes, "classes": classes, "areas": areas, "crowds": crowds}

    source = np.repeat(np.arange(count), random.choice(4, size=count, p=[0.2, 0.5, 0.2, 0.1]))
    source = source[:found]
    extent = np.tile(boxes[source, 2:] - boxes[source, :2], 2)
    noise = found - len(source)
    near = boxes[source] + random.normal(0, 0.08, (len(source), 4)) * extent
    scores = np.concatenate([random.beta(3, 2, len(source)), random.beta(1, 6, noise)])
    order = np.argsort(-scores)
    return objects, {
        "boxes": np.concatenate([near, _boxes(random, noise, 10, 300)])[order],
        "classes": np.concatenate([classes[source], random.choice(len(share), noise, p=share)])[
            order
        ],
        "scores": scores[order],
    }


def _boxes(
    random: np.random.Generator, count: int, least: float, most: float
) -> NDArray[np.float64]:
    start = random.uniform(0, (WIDTH, HEIGHT), (count, 2))
    side = np.exp(random.uniform(np.log(least), np.log(most), (count, 1)))
    shape = np.exp(random.normal(0, 0.3, (count, 1)))
    return np.concatenate([start, start + side * np.hstack([shape, 1 / shape])], axis=1)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)

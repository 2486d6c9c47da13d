"""Scores of detections as the users of pycocotools and faster-coco-eval compute them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfcbench.detection_types import Detections

STATISTICS = {
    "map": 0,
    "ap50": 1,
    "ap75": 2,
    "map-small": 3,
    "map-medium": 4,
    "map-large": 5,
    "recall": 8,
}
"""Where both keep in ``stats`` what we call so."""

Documents = tuple[dict[str, Any], dict[str, Any]]


def documents(detections: Detections) -> Documents:
    """Objects and detections as COCO's JSON files have them; everything is counted from 1."""
    pictures = detections.pictures
    shared = {
        "images": [
            {"id": number + 1, "height": int(height), "width": int(width)}
            for number, (height, width) in enumerate(
                zip(pictures.heights, pictures.widths, strict=True)
            )
        ],
        "categories": [
            {"id": number + 1, "name": name} for number, name in enumerate(pictures.class_names)
        ],
    }
    objects = _annotations(pictures.counts, pictures.classes, pictures.boxes)
    for place, one in enumerate(objects):
        one |= {"area": float(pictures.areas[place]), "iscrowd": int(pictures.crowds[place])}
    found = _annotations(detections.counts, detections.classes, detections.boxes)
    for place, one in enumerate(found):
        one |= {"area": one["bbox"][2] * one["bbox"][3], "score": float(detections.scores[place])}
    return shared | {"annotations": objects}, shared | {"annotations": found}


def pycocotools_evaluation(given: Documents) -> Any:
    """A ``COCOeval`` that is evaluated and accumulated."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*(_indexed(COCO(), one) for one in given), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def pycocotools_statistics(detections: Detections) -> NDArray[np.float64]:
    """The 12 numbers; NaN where it has -1 for what is undefined."""
    evaluation = pycocotools_evaluation(documents(detections))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.summarize()
    return _defined(evaluation.stats)


def faster_coco_eval_statistics(detections: Detections) -> NDArray[np.float64]:
    """The 12 numbers of an implementation in another language."""
    from faster_coco_eval import COCO, COCOeval_faster

    given = (_indexed(COCO(), one) for one in documents(detections))
    evaluation = COCOeval_faster(*given, "bbox")
    evaluation.run()
    return _defined(evaluation.stats)


def _annotations(
    counts: NDArray[np.int64], classes: NDArray[np.int64], boxes: NDArray[np.float32]
) -> list[dict[str, Any]]:
    edges = boxes.astype(np.float64)
    extents = np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], axis=1).tolist()
    pictures = np.repeat(np.arange(len(counts)), counts).tolist()
    return [
        {"id": place + 1, "image_id": picture + 1, "category_id": category + 1, "bbox": extent}
        for place, (picture, category, extent) in enumerate(
            zip(pictures, classes.tolist(), extents, strict=True)
        )
    ]


def _indexed(index: Any, document: dict[str, Any]) -> Any:
    index.dataset = document
    index.createIndex()
    return index


def _defined(statistics: Any) -> NDArray[np.float64]:
    numbers = np.asarray(statistics, dtype=np.float64)
    return np.where(numbers == -1, np.nan, numbers)

"""Which detection finds which object, by COCO's rules.

The matching itself is that of pycocotools, the reference implementation, whose per-image results
are open to its users. faster-coco-eval matches faster, but tells its users only the union of the
matches at all thresholds and sizes; asking it once for each of these 40 combinations takes longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfcbench.detection.measures import MOST_DETECTIONS, SIZES, THRESHOLDS
from hfcbench.detection.ranked import Ranked
from hfcbench.detection_types import Detections, PictureSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISS, HIT, IGNORED = 0, 1, 2
"""What becomes of a detection: it matches nothing, an object that counts, or one that does not."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The matching of the detections in N pictures: D detections that count, M of them matched.

    Detections are those that a score looks at: at most 100 of a class in a picture. They are
    sorted from the best to the worst; equal scores stay in the order of the pictures.

    Attributes:
        pictures: N.
        picture, category: ``(D,)`` int64, the picture and the class of each detection.
        inside: ``(4,D)`` bool, whether its own area lies in each size range.
        matched: ``(M,)`` int64, rising, those detections that match an object at any threshold.
        outcomes: ``(4,10,M)`` int8, what becomes of each of them in each size range at each
            threshold: ``MISS``, ``HIT`` or ``IGNORED``.
        object_picture, object_class: ``(K,)`` int64, of every object.
        wanted: ``(4,K)`` bool, whether it is to be found: no crowd, and its area in the size range.
    """

    pictures: int
    picture: NDArray[np.int64]
    category: NDArray[np.int64]
    inside: NDArray[np.bool_]
    matched: NDArray[np.int64]
    outcomes: NDArray[np.int8]
    object_picture: NDArray[np.int64]
    object_class: NDArray[np.int64]
    wanted: NDArray[np.bool_]


def match(detections: Detections) -> Matches:
    """Match detections to the objects of their picture and class, the best detection first.

    A detection with a NaN score ranks last. One with a NaN score or a NaN or infinite edge matches
    nothing and is a false positive, in every size range if it has no area. An empty or inverted
    box has the area 0 and matches nothing.

    Deviations: pycocotools ignores inverted boxes whose area comes out negative.
    """
    pictures = detections.pictures
    ranked = Ranked.of(detections)
    object_picture = np.repeat(np.arange(len(pictures)), pictures.counts)
    inside = np.stack([ranked.sizeless | _within(ranked.area, size) for size in SIZES.values()])
    areas = pictures.areas.astype(np.float64)
    wanted = np.stack([~pictures.crowds & _within(areas, size) for size in SIZES.values()])
    found = list(_matched_pairs(ranked, pictures, object_picture))
    matched = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
    nothing = np.zeros((len(SIZES), len(THRESHOLDS), 0), np.int8)
    outcomes = np.concatenate([nothing, *(outcome for _, outcome in found)], axis=2)
    order = np.argsort(matched)
    return Matches(
        pictures=len(pictures),
        picture=ranked.picture,
        category=ranked.category,
        inside=inside,
        matched=matched[order],
        outcomes=outcomes[:, :, order],
        object_picture=object_picture,
        object_class=pictures.classes,
        wanted=wanted,
    )


def _within(areas: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.bool_]:
    """Both ends belong to a range, as in COCO: an object of 32 by 32 is small and medium."""
    return (areas >= size[0]) & (areas <= size[1])


def _matched_pairs(
    ranked: Ranked, pictures: PictureSet, object_picture: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int8]]]:
    """Positions ``(m,)`` and outcomes ``(4,10,m)`` of what matches, picture and class in turn."""
    classes = len(pictures.class_names)
    sound = np.flatnonzero(~ranked.broken)
    detection_pair = ranked.picture[sound] * classes + ranked.category[sound]
    order = np.argsort(detection_pair, kind="stable")
    sound, detection_pair = sound[order], detection_pair[order]
    object_pair = object_picture * classes + pictures.classes
    objects = np.argsort(object_pair, kind="stable")
    pairs, first = np.unique(object_pair[objects], return_index=True)
    bounds = np.append(first, len(objects))
    low = np.asarray(np.searchsorted(detection_pair, pairs, "left"))
    high = np.asarray(np.searchsorted(detection_pair, pairs, "right"))
    matcher = _Matcher(ranked, pictures)
    for pair in np.flatnonzero(low < high).tolist():
        own = objects[bounds[pair] : bounds[pair + 1]]
        found = matcher(sound[low[pair] : high[pair]], own)
        if found is not None:
            yield found


class _Matcher:
    """pycocotools' matching within a picture and class, fed directly.

    Its ``evaluate`` would go through every class in every picture, most of them empty, and print.
    What overlaps nothing by the lowest threshold cannot match at any, and is left out: most of
    what detectors find.
    """

    def __init__(self, ranked: Ranked, pictures: PictureSet) -> None:
        from pycocotools.cocoeval import COCOeval

        self._boxes, self._areas = ranked.boxes, ranked.area
        edges = pictures.boxes.astype(np.float64)
        self._object_boxes = np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], axis=1)
        self._object_areas = pictures.areas.astype(np.float64)
        self._crowds = pictures.crowds.astype(np.uint8)
        self._evaluator = COCOeval(iouType="bbox")
        self._evaluator.params.iouThrs = THRESHOLDS

    def __call__(
        self, found: NDArray[np.int64], objects: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]] | None:
        """What matches among detections, best first, and all objects of their picture and class."""
        from pycocotools.mask import iou

        crowds = self._crowds[objects].tolist()
        overlaps = iou(self._boxes[found], self._object_boxes[objects], crowds)
        enough = overlaps >= THRESHOLDS[0]
        rows, columns = enough.any(axis=1), enough.any(axis=0)
        if not rows.any():
            return None
        found, objects = found[rows], objects[columns]
        one = (0, 0)
        self._evaluator.ious[one] = overlaps[np.ix_(rows, columns)]
        self._evaluator._gts[one] = self._objects(objects)
        self._evaluator._dts[one] = [
            {"id": place + 1, "score": -place, "area": area}
            for place, area in enumerate(self._areas[found].tolist())
        ]
        results = [
            self._evaluator.evaluateImg(*one, size, MOST_DETECTIONS) for size in SIZES.values()
        ]
        return found, np.stack([_outcomes(result) for result in results])

    def _objects(self, objects: NDArray[np.int64]) -> list[dict[str, Any]]:
        crowds = self._crowds[objects].tolist()
        areas = self._object_areas[objects].tolist()
        return [
            {"id": place + 1, "area": area, "iscrowd": crowd, "ignore": crowd}
            for place, (area, crowd) in enumerate(zip(areas, crowds, strict=True))
        ]


def _outcomes(result: dict[str, Any]) -> NDArray[np.int8]:
    """``(10,m)`` from pycocotools' result for one size range."""
    matched = result["dtMatches"] > 0
    return np.where(matched, np.where(result["dtIgnore"], IGNORED, HIT), MISS).astype(np.int8)

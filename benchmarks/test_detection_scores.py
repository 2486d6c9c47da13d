"""All scores of detections with their intervals, against one plain evaluation by pycocotools.

Goal: the seven metrics in total with 1,000 resamples, by class and by picture, take no longer than
pycocotools takes for its totals.
"""

from __future__ import annotations

from dataclasses import replace

import coco_peers
import made_detections
import pytest

from hfcbench.detection import scores
from hfcbench.detection.measures import MEASURES
from hfcbench.detection_types import Detections

PICTURES = 1000


def all_scores(detections: Detections) -> None:
    fresh = replace(detections, cache={})
    for measure in MEASURES:
        scores(fresh, measure)


@pytest.mark.benchmark(group="detection")
def test_scores_with_intervals_take_no_longer_than_pycocotools_without(benchmark, compare):
    detections = made_detections.made_detections(PICTURES)
    documents = coco_peers.documents(detections)
    timed = compare(
        f"scores of {len(detections.classes):,} detections in {PICTURES:,} pictures",
        {
            "hfcbench": lambda: all_scores(detections),
            "pycocotools": lambda: coco_peers.pycocotools_evaluation(documents),
        },
        rounds=3,
        goals={"pycocotools": "at least 1"},
        scale={},
    )
    timed.expect("pycocotools", at_least=1)
    benchmark.pedantic(lambda: all_scores(detections), rounds=1)

"""Scores against pycocotools and faster-coco-eval, on cases with everything that is awkward."""

from __future__ import annotations

from dataclasses import replace

import coco_peers
import numpy as np
import pytest
from made_detections import chosen_pictures, made_detections

from hfcbench.detection.average_precision import Ranking
from hfcbench.detection.bootstrap import resampled_weights
from hfcbench.detection.matching import match
from hfcbench.detection.measures import MEASURES
from hfcbench.detection.summary import scores, summary
from hfcbench.detection_types import Detections

SEEDS = range(3)


def awkward(seed: int, *, ties: bool = True) -> Detections:
    """30 pictures and 6 classes with crowds, pictures without objects or without detections, a
    class without objects, one without detections, one with 150 in a picture, sizes at limits."""
    made = made_detections(30, classes=6, found=60, seed=seed, ties=ties)
    random = np.random.default_rng(seed)
    pictures = made.pictures
    crowds = random.random(len(pictures.classes)) < 0.15
    classes = np.where(pictures.classes == 4, 0, pictures.classes)
    areas = pictures.areas.copy()
    areas[::7], areas[1::7] = 32**2, 96**2
    objects = np.repeat(np.arange(30), pictures.counts)
    kept = ~np.isin(objects, (3, 8))
    picture_set = replace(
        pictures,
        counts=np.bincount(objects[kept], minlength=30),
        boxes=pictures.boxes[kept],
        classes=classes[kept],
        areas=areas[kept],
        crowds=crowds[kept],
    )
    picture = np.repeat(np.arange(30), made.counts)
    rows = np.flatnonzero((made.classes != 5) & ~np.isin(picture, (5, 8)))
    rows = np.concatenate([rows, np.repeat(rows[picture[rows] == 10], 3)])  # found again and again
    rows = rows[np.argsort(picture[rows], kind="stable")]
    scores_ = made.scores[rows].copy()
    again = np.flatnonzero(picture[rows] == 10)
    scores_[again] = random.random(len(again)).round(2 if ties else 8)
    return Detections(
        pictures=picture_set,
        counts=np.bincount(picture[rows], minlength=30),
        boxes=made.boxes[rows],
        scores=scores_,
        classes=np.where(picture[rows] == 10, 0, made.classes[rows]),
    )


def expected(statistics: np.ndarray) -> dict[str, float]:
    return {measure: statistics[place] for measure, place in coco_peers.STATISTICS.items()}


def test_the_cases_are_awkward():
    for seed in SEEDS:
        detections = awkward(seed)
        pictures, picture = detections.pictures, np.repeat(np.arange(30), detections.counts)
        assert pictures.crowds.any()
        assert (pictures.counts == 0).any()
        assert (detections.counts == 0).any()
        assert set(pictures.classes) == {0, 1, 2, 3, 5}
        assert set(detections.classes) == {0, 1, 2, 3, 4}
        assert np.bincount(picture[detections.classes == 0]).max() > 100
        assert len(np.unique(detections.scores)) < len(detections.scores) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_are_those_of_both_libraries(seed):
    detections = awkward(seed)

    found = {measure: scores(detections, measure).total.value for measure in MEASURES}

    statistics = coco_peers.pycocotools_statistics(detections)
    assert found == pytest.approx(expected(statistics), abs=1e-12)
    others = coco_peers.faster_coco_eval_statistics(detections)
    assert found == pytest.approx(expected(others), abs=1e-12)
    assert 0.05 < found["map"] < 0.95


def test_many_objects_are_scored_alike():
    detections = made_detections(150, found=100, seed=9)

    found = {measure: scores(detections, measure).total.value for measure in MEASURES}

    statistics = coco_peers.pycocotools_statistics(detections)
    assert found == pytest.approx(expected(statistics), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_are_those_of_pycocotools(seed):
    detections = awkward(seed)
    evaluation = coco_peers.pycocotools_evaluation(coco_peers.documents(detections))
    # (thresholds, recalls, classes, sizes, most detections)
    precision = evaluation.eval["precision"][:, :, :, :, -1].mean(axis=1)
    readings = {
        "map": precision.mean(0)[:, 0],
        "ap50": precision[0, :, 0],
        "ap75": precision[5, :, 0],
        "map-small": precision.mean(0)[:, 1],
        "map-medium": precision.mean(0)[:, 2],
        "map-large": precision.mean(0)[:, 3],
        "recall": evaluation.eval["recall"].mean(0)[:, 0, -1],
    }
    for measure, values in readings.items():
        found = scores(detections, measure).classes
        assert {name: score.value for name, score in found.items()} == pytest.approx(
            {f"class {place}": value for place, value in enumerate(values) if value > -1},
            abs=1e-12,
        )


def test_classes_count_their_objects_without_crowds():
    detections = awkward(0)
    pictures = detections.pictures
    small = pictures.areas <= 32**2
    for measure, chosen in (("map", True), ("map-small", small)):
        counted = np.bincount(pictures.classes[~pictures.crowds & chosen], minlength=6)
        found = {name: score.n for name, score in scores(detections, measure).classes.items()}
        assert found == {f"class {place}": n for place, n in enumerate(counted) if n}
    assert scores(detections, "map").total.n == 30


@pytest.mark.parametrize("seed", SEEDS)
def test_pictures_are_scored_as_if_they_were_alone(seed):
    detections = awkward(seed)
    alone = [
        coco_peers.pycocotools_statistics(chosen_pictures(detections, np.array([place])))
        for place in range(30)
    ]
    for measure in ("map", "ap50", "map-small", "map-medium", "map-large"):
        values = [one[coco_peers.STATISTICS[measure]] for one in alone]
        found = scores(detections, measure).pictures
        assert found == pytest.approx(values, abs=1e-9, nan_ok=True)
        assert np.isnan(found).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_are_pictures_that_are_really_repeated(seed):
    # Without ties: copies of a picture have equal scores, and which comes first is a convention.
    detections = awkward(seed, ties=False)
    found = summary(detections).resampled
    resamples = np.concatenate(list(resampled_weights(30, 100)))
    for place in (0, 1, 500):
        repeated = np.repeat(np.arange(30), resamples[place].astype(np.int64))
        statistics = coco_peers.pycocotools_statistics(chosen_pictures(detections, repeated))
        assert dict(zip(MEASURES, found[place], strict=True)) == pytest.approx(
            expected(statistics), abs=1e-12
        )


def test_weights_may_be_larger_than_any_resample():
    detections = awkward(1, ties=False)
    matches = match(detections)
    weights = np.random.default_rng(0).integers(0, 6, 30)
    repeated = chosen_pictures(detections, np.repeat(np.arange(30), weights))

    curves = Ranking(matches, matches.category, matches.object_class).curves(
        weights[None].astype(float)
    )

    statistics = coco_peers.pycocotools_statistics(repeated)
    assert np.nanmean(curves.precision[0]) == pytest.approx(statistics[0], abs=1e-12)
    assert np.nanmean(curves.recall[0]) == pytest.approx(statistics[8], abs=1e-12)

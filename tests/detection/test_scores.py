"""Scores of detections: by hand, where they are undefined, their intervals and their upkeep."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_detections import made_detections

from hfcbench.detection import scores, summary
from hfcbench.detection.bootstrap import RESAMPLES, resampled_weights
from hfcbench.detection.measures import MEASURES
from hfcbench.detection_types import Detections, PictureSet
from hfcbench.metrics.average_precision import (
    AveragePrecision50,
    AveragePrecision75,
    LargeObjects,
    MeanAveragePrecision,
    MediumObjects,
    SmallObjects,
)
from hfcbench.metrics.average_recall import AverageRecall

METRICS = {
    "map": MeanAveragePrecision,
    "ap50": AveragePrecision50,
    "ap75": AveragePrecision75,
    "map-small": SmallObjects,
    "map-medium": MediumObjects,
    "map-large": LargeObjects,
    "recall": AverageRecall,
}
FIRST, SECOND, FAR = (0, 0, 50, 50), (100, 0, 150, 50), (300, 300, 350, 350)
NAN = float("nan")


def one_picture(
    objects: list[tuple[float, ...]],
    found: list[tuple[tuple[float, ...], float]],
    *,
    crowds: tuple[bool, ...] | None = None,
) -> Detections:
    """One class in one picture: boxes to find, and boxes found with their scores."""
    boxes = np.array(objects, dtype=np.float32).reshape(-1, 4)
    pictures = PictureSet(
        names=("a.jpg",),
        heights=np.array([480]),
        widths=np.array([640]),
        counts=np.array([len(objects)]),
        boxes=boxes,
        classes=np.zeros(len(objects), np.int64),
        areas=np.prod(boxes[:, 2:] - boxes[:, :2], axis=1),
        crowds=np.array(crowds or (False,) * len(objects), dtype=bool),
        class_names=("thing",),
    )
    return Detections(
        pictures=pictures,
        counts=np.array([len(found)]),
        boxes=np.array([box for box, _ in found], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score in found], dtype=np.float32),
        classes=np.zeros(len(found), np.int64),
    )


def total(detections: Detections, measure: str = "map") -> float:
    return scores(detections, measure).total.value


def test_a_false_positive_between_two_hits():
    detections = one_picture([FIRST, SECOND], [(FIRST, 0.9), (FAR, 0.8), (SECOND, 0.7)])

    # Precision 1 at the recalls 0, 0.01, ..., 0.5, and 2/3 at the 50 beyond.
    assert total(detections) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert total(detections, "map-medium") == total(detections)
    assert math.isnan(total(detections, "map-small"))


def test_overlap_decides_at_which_thresholds_a_box_is_a_hit():
    three_quarters = (0, 0, 50, 37.5)
    detections = one_picture([FIRST], [(three_quarters, 0.9)])

    assert total(detections) == pytest.approx(6 / 10)  # 0.50, 0.55, ..., 0.75
    assert (total(detections, "ap50"), total(detections, "ap75")) == (1, 1)
    assert total(detections, "recall") == pytest.approx(6 / 10)


def test_a_recall_of_35_percent_falls_short_of_its_step():
    # 35 * 0.01 is 0.35000000000000003 in COCO's tools: 35 of 100 reach the steps 0 to 34 only.
    boxes = [(60 * n, 0, 60 * n + 50, 50) for n in range(100)]
    detections = one_picture(boxes, [(boxes[n], 0.9 - n / 100) for n in range(35)])

    assert total(detections) == pytest.approx(35 / 101)


def test_what_matches_a_crowd_counts_neither_way():
    crowd = (90, 0, 200, 200)
    found = [(SECOND, 0.9), (SECOND, 0.85), (FIRST, 0.8)]

    assert total(one_picture([FIRST, crowd], found, crowds=(False, True))) == 1
    assert total(one_picture([FIRST], found)) == pytest.approx(1 / 3)


def test_without_objects_there_is_no_score():
    for detections in (
        one_picture([], [(FIRST, 0.9)]),
        one_picture([], []),
        one_picture([FIRST], [(FIRST, 0.9)], crowds=(True,)),
    ):
        for measure in MEASURES:
            found = scores(detections, measure)
            assert math.isnan(found.total.value)
            assert math.isnan(found.total.low)
            assert math.isnan(found.total.high)
            assert found.total.n == 1
            assert found.classes == {}
            assert found.pictures is None or np.isnan(found.pictures).all()


def test_without_detections_the_score_is_zero():
    found = scores(one_picture([FIRST], []), "map")

    assert (found.total.value, found.total.low, found.total.high) == (0, 0, 0)
    assert found.classes["thing"].value == 0
    assert found.pictures.tolist() == [0]


@pytest.mark.parametrize(
    "broken",
    [
        (FIRST, NAN),
        ((NAN, 0, 50, 50), 0.9),
        ((NAN,) * 4, 0.9),
        ((0, 0, math.inf, 50), 0.9),
        ((0, 0, 0, 0), 0.9),
        ((50, 50, 0, 0), 0.9),
    ],
)
def test_broken_detections_match_nothing(broken):
    assert total(one_picture([FIRST], [broken])) == 0


def test_a_box_that_is_no_number_is_a_false_positive_of_every_size():
    detections = one_picture([FIRST], [((NAN, 0, 50, 50), 0.9), (FIRST, 0.5)])

    assert total(detections) == pytest.approx(1 / 2)
    assert total(detections, "map-medium") == pytest.approx(1 / 2)


def test_a_score_that_is_no_number_ranks_last():
    before = one_picture([FIRST], [(FAR, NAN), (FIRST, 0.5)])

    assert total(before) == 1


def test_an_empty_box_is_a_false_positive_and_small():
    for empty in ((10, 10, 10, 30), (30, 30, 10, 10)):
        detections = one_picture([FIRST], [(empty, 0.9), (FIRST, 0.5)])

        assert total(detections) == pytest.approx(1 / 2)
        assert total(detections, "map-medium") == 1


def test_an_empty_object_is_never_found():
    assert total(one_picture([(10, 10, 10, 30)], [((10, 10, 10, 30), 0.9)])) == 0


def test_resamples_draw_as_many_pictures_as_there_are():
    weights = np.concatenate(list(resampled_weights(40, 300)))

    assert weights.shape == (RESAMPLES, 40)
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.15)
    # Of a multinomial distribution: 1 - 1/40.
    assert weights.var(axis=0).mean() == pytest.approx(39 / 40, abs=0.03)
    for at_once in (1, 7, 5000):
        assert (np.concatenate(list(resampled_weights(40, at_once))) == weights).all()


def test_an_interval_is_that_of_the_resampled_scores():
    # One object in each of 100 pictures, 30 of them found: the recall of a resample is binomial.
    from scipy.stats import binom

    found = [n < 30 for n in range(100)]
    single = one_picture([FIRST], [])
    pictures = replace(
        single.pictures,
        names=tuple(f"{n}.jpg" for n in range(100)),
        heights=np.full(100, 480),
        widths=np.full(100, 640),
        counts=np.ones(100, np.int64),
        boxes=np.tile(single.pictures.boxes, (100, 1)),
        classes=np.zeros(100, np.int64),
        areas=np.tile(single.pictures.areas, 100),
        crowds=np.zeros(100, bool),
    )
    detections = Detections(
        pictures=pictures,
        counts=np.array(found, np.int64),
        boxes=np.tile(single.pictures.boxes, (30, 1)),
        scores=np.linspace(1, 0.5, 30, dtype=np.float32),
        classes=np.zeros(30, np.int64),
    )

    score = scores(detections, "recall").total

    low, high = binom.ppf((0.025, 0.975), 100, 0.3) / 100
    assert score.value == pytest.approx(0.3)
    assert (score.low, score.high) == pytest.approx((low, high), abs=0.011)
    assert scores(detections, "recall").classes["thing"].low == score.low
    assert scores(detections, "map").pictures.tolist() == [1.0] * 30 + [0.0] * 70


def test_classes_have_intervals_of_the_resamples_that_they_are_in():
    detections = made_detections(20, classes=40)

    for score in scores(detections, "map").classes.values():
        assert 0 <= score.low <= score.high <= 1


def test_scores_do_not_depend_on_how_many_resamples_are_drawn_at_once(monkeypatch):
    detections = made_detections(20, classes=5)
    whole = summary.summary(detections)
    monkeypatch.setattr(summary, "_VALUES_AT_ONCE", 500)

    parts = summary.summary(replace(detections, cache={}))

    assert (parts.resampled == whole.resampled).all()


@pytest.mark.parametrize("name", METRICS)
def test_metrics_give_the_measure_of_their_name(name, registry_metrics):
    detections = made_detections(12, classes=4)
    expected = scores(detections, name)

    found = registry_metrics[name]().score(replace(detections, cache={}))

    assert registry_metrics[name] is METRICS[name]
    assert (METRICS[name].task, METRICS[name].higher_is_better) == ("detection", True)
    assert found.total == expected.total
    assert found.classes == expected.classes
    kept = name in ("map", "ap50", "map-small", "map-medium", "map-large")
    assert (found.pictures is not None) == kept


def test_all_metrics_share_one_matching_and_print_nothing(monkeypatch, capfd):
    detections = made_detections(12, classes=4)
    calls = []
    match = summary.match
    monkeypatch.setattr(summary, "match", lambda given: calls.append(given) or match(given))

    for metric in METRICS.values():
        metric().score(detections)

    assert len(calls) == 1
    assert capfd.readouterr() == ("", "")

"""All that COCO measures of stored detections, from one matching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.detection.average_precision import Curves, Ranking
from hfcbench.detection.bootstrap import basic_interval, resampled_weights
from hfcbench.detection.matching import Matches, match
from hfcbench.detection.measures import MEASURES
from hfcbench.detection_types import Detections, DetectionScores
from hfcbench.types import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CACHED = "coco summary"
_VALUES_AT_ONCE = 400_000
"""Resamples go through in lots whose arrays stay within a processor's cache."""


@dataclass(frozen=True, eq=False)
class Summary:
    """S measures in the order of ``MEASURES``, of N pictures and K classes; NaN where undefined.

    Attributes:
        totals: ``(S,)``, over all pictures, the mean of the classes that have objects.
        resampled: ``(R,S)``, the same in every resample.
        classes, lows, highs: ``(S,K)``, each class alone with its 95% interval.
        objects: ``(S,K)`` int64, how many there are to be found.
        pictures: ``(S,N)``, each picture alone, as if it were the whole dataset.
    """

    totals: NDArray[np.float64]
    resampled: NDArray[np.float64]
    classes: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    objects: NDArray[np.int64]
    pictures: NDArray[np.float64]


def summary(detections: Detections) -> Summary:
    """Match, score and resample, once for these detections: all measures share it."""
    kept = detections.cache.get(_CACHED)
    if not isinstance(kept, Summary):
        kept = _summary(match(detections), len(detections.pictures.class_names))
        detections.cache[_CACHED] = kept
    return kept


def scores(detections: Detections, measure: str) -> DetectionScores:
    """One of ``MEASURES`` over all pictures, over each class with objects, and over each picture.

    Classes without objects are left out of means. Without any object there is nothing to measure,
    and the score is NaN; with objects but no detections it is 0.

    Resamples repeat pictures, and a repeated picture is found as often as it is there: for classes
    of few objects their scores lie above the score itself, and so do intervals of few pictures.
    """
    found = summary(detections)
    place = list(MEASURES).index(measure)
    low, high = basic_interval(found.totals[place], found.resampled[:, place])
    tables = (found.classes, found.lows, found.highs, found.objects)
    by_class = zip(*(table[place].tolist() for table in tables), strict=True)
    by_name = zip(detections.pictures.class_names, by_class, strict=True)
    return DetectionScores(
        total=Score(float(found.totals[place]), float(low), float(high), len(detections)),
        classes={name: Score(*numbers) for name, numbers in by_name if numbers[-1]},
        pictures=found.pictures[place] if MEASURES[measure].by_picture else None,
    )


def mean_average_precision(detections: Detections) -> float:
    """The measure ``map`` alone, without an interval: quick enough for every epoch of a curve."""
    matches = match(detections)
    ranking = Ranking(matches, matches.category, matches.object_class)
    values = _by_group(ranking.curves(np.ones((1, matches.pictures))))
    return float(_mean_of_defined(values)[0, list(MEASURES).index("map")])


def _summary(matches: Matches, classes: int) -> Summary:
    ranking = Ranking(matches, matches.category, matches.object_class)
    values = _by_group(ranking.curves(np.ones((1, matches.pictures))))
    at_once = max(1, _VALUES_AT_ONCE // max(1, ranking.rows, matches.pictures))
    weights = resampled_weights(matches.pictures, at_once)
    resampled = np.concatenate([_by_group(ranking.curves(some)) for some in weights])
    lows, highs = basic_interval(values[0], resampled)
    counts = np.stack(
        [np.bincount(matches.object_class[size], minlength=classes) for size in matches.wanted]
    )
    return Summary(
        totals=_mean_of_defined(values)[0],
        resampled=_mean_of_defined(resampled),
        classes=_for_all(classes, ranking.groups, values[0]),
        lows=_for_all(classes, ranking.groups, lows),
        highs=_for_all(classes, ranking.groups, highs),
        objects=counts[[measure.size for measure in MEASURES.values()]],
        pictures=_pictures(matches, classes),
    )


def _by_group(curves: Curves) -> NDArray[np.float64]:
    """``(R,S,G)`` from ``(4,10,R,G)``."""
    values = []
    for measure in MEASURES.values():
        table = (curves.recall if measure.recall else curves.precision)[measure.size]
        values.append(table.mean(0) if measure.threshold is None else table[measure.threshold])
    return np.stack(values, axis=1)


def _for_all(
    classes: int, groups: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``(S,K)`` from ``(S,G)``; NaN for classes that are no group."""
    table = np.full((len(values), classes), np.nan)
    table[:, groups] = values
    return table


def _mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean along the last axis without NaN; NaN where there is nothing else."""
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0).sum(axis=-1)
    count = defined.sum(axis=-1)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _pictures(matches: Matches, classes: int) -> NDArray[np.float64]:
    """``(S,N)``: the mean of the classes that have objects in a picture."""
    ranking = Ranking(
        matches,
        matches.picture * classes + matches.category,
        matches.object_picture * classes + matches.object_class,
    )
    values = _by_group(ranking.curves(np.ones((1, matches.pictures))))[0]  # (S,G)
    picture = ranking.groups // max(1, classes)
    found = np.full((len(values), matches.pictures), np.nan)
    for place, row in enumerate(values):
        defined = ~np.isnan(row)
        count = np.bincount(picture[defined], minlength=matches.pictures)
        total = np.bincount(picture[defined], row[defined], minlength=matches.pictures)
        np.divide(total, count, out=found[place], where=count > 0)
    return found

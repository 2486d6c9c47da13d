"""Two evaluations of the same pictures: by how much they differ, and in which pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hfcbench.detection.bootstrap import percentile_interval
from hfcbench.detection.measures import MEASURES
from hfcbench.detection.summary import summary
from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import UsageError, nearest
from hfcbench.types import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray


def paired_difference(measure: str, first: Detections, second: Detections) -> Score:
    """A measure of the first minus that of the second, with its 95% interval over pictures.

    Both are resampled together: a picture that is drawn is drawn for both.

    Raises:
        UsageError: the pictures or the objects in them are not the same, or there is no such
            measure.
    """
    if measure not in MEASURES:
        raise UsageError(f"nothing measures {measure!r}", hint=nearest(measure, MEASURES))
    if not _same(first.pictures, second.pictures):
        raise UsageError(
            "two evaluations of different pictures cannot be compared picture by picture",
            hint="evaluate both on the same pictures of one dataset",
        )
    place = list(MEASURES).index(measure)
    ours, theirs = summary(first), summary(second)
    low, high = percentile_interval(ours.resampled[:, place] - theirs.resampled[:, place])
    value = float(ours.totals[place] - theirs.totals[place])
    return Score(value, float(low), float(high), len(first))


def _same(first: PictureSet, second: PictureSet) -> bool:
    return (first.names, first.class_names) == (second.names, second.class_names) and all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("counts", "boxes", "classes", "areas", "crowds")
    )


@dataclass(frozen=True, eq=False)
class PictureChanges:
    """How the scores of N pictures differ.

    Attributes:
        difference: ``(N,)`` float64, after minus before; NaN where either is.
        gained, dropped: positions of pictures, the largest change first.
        equal: positions of pictures without a change.
    """

    difference: NDArray[np.float64]
    gained: NDArray[np.int64]
    dropped: NDArray[np.int64]
    equal: NDArray[np.int64]


def picture_changes(
    before: NDArray[np.float64], after: NDArray[np.float64], *, tolerance: float = 1e-9
) -> PictureChanges:
    """Which pictures score better and which score worse after than before.

    Pictures that a score means nothing for (NaN) are neither. Equal changes stay in order.

    Args:
        before, after: ``(N,)`` float64, of the same pictures.
        tolerance: a change that is no larger is none; rounding is far smaller.

    Raises:
        UsageError: there are not as many of both.
    """
    if len(before) != len(after):
        raise UsageError(f"{len(before)} scores cannot be compared with {len(after)}")
    difference = np.asarray(after - before, dtype=np.float64)
    falling = np.argsort(-difference, kind="stable")
    rising = np.argsort(difference, kind="stable")
    return PictureChanges(
        difference=difference,
        gained=falling[difference[falling] > tolerance],
        dropped=rising[difference[rising] < -tolerance],
        equal=np.flatnonzero(np.abs(difference) <= tolerance),
    )

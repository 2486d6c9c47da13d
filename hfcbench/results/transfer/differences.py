"""What two results of one identity disagree about, in words."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hfcbench.results.records import CHECKPOINT, TRAINING_LABELS
from hfcbench.results.statistics import different_pictures
from hfcbench.results.writing.detections import DETECTION_ARRAYS, unpack_detections
from hfcbench.results.writing.predictions import PackedArray, unpack_array

Row = Mapping[str, Any]
_CURVE = ("split", "component", "decomposition", "rescaling", "metric", "n")


@dataclass(frozen=True)
class TrainingDifference:
    """How two trainings differ.

    Attributes:
        other_checkpoint: the trained models differ, not just what was measured of them.
    """

    summary: str
    other_checkpoint: bool


def training_difference(
    theirs: Mapping[str, Sequence[Row]], mine: Mapping[str, Sequence[Row]]
) -> TrainingDifference | None:
    """Compare checkpoints, training labels where both have them, and points of both curves."""
    checkpoints = [_hashes(parts, CHECKPOINT) for parts in (theirs, mine)]
    if checkpoints[0] != checkpoints[1]:
        return TrainingDifference(
            _two("its checkpoint is {}, the target's is {}", checkpoints), other_checkpoint=True
        )
    labels = [_hashes(parts, TRAINING_LABELS) for parts in (theirs, mine)]
    if all(labels) and labels[0] != labels[1]:
        return TrainingDifference(
            _two("its training labels are {}, the target's are {}", labels),
            other_checkpoint=False,
        )
    points = [_points(parts["curves"]) for parts in (theirs, mine)]
    shared = points[0].keys() & points[1].keys()
    different = sum(points[0][key] != points[1][key] for key in shared)
    if different:
        return TrainingDifference(
            f"{different} of {len(shared)} points of its curves differ", other_checkpoint=False
        )
    return None


def _hashes(parts: Mapping[str, Sequence[Row]], kind: str) -> set[str]:
    return {row["sha256"] for row in parts["artifacts"] if row["kind"] == kind}


def _two(text: str, found: Sequence[set[str]]) -> str:
    names = (", ".join(sorted(item[:12] for item in hashes)) for hashes in found)
    return text.format(*(name or "missing" for name in names))


def evaluation_difference(
    theirs: Mapping[str, Sequence[Row]], mine: Mapping[str, Sequence[Row]]
) -> str | None:
    """Compare predictions, detections, scores of metrics that both have, and flags of such checks.

    Args:
        theirs, mine: predictions, detections, scores, scores of classes and of pictures, and
            checks; metrics and picture sets by the same keys in both.
    """
    found = [*_different_answers(theirs, mine), *_different_scores(theirs, mine)]
    flagged = {row["name"]: row["flagged"] for row in mine["checks"]}
    for row in theirs["checks"]:
        if flagged.get(row["name"], row["flagged"]) != row["flagged"]:
            where = "the source" if row["flagged"] else "the target"
            found.append(f"check {row['name']} is flagged in {where} alone")
    return "; ".join(found) or None


def _different_answers(
    theirs: Mapping[str, Sequence[Row]], mine: Mapping[str, Sequence[Row]]
) -> Iterator[str]:
    different_predictions = same_predictions(theirs["predictions"], mine["predictions"])
    if different_predictions is None:
        yield "the two are over other images"
    elif different_predictions:
        yield f"{different_predictions} predictions differ"
    different_detections = same_detections(theirs["detections"], mine["detections"])
    if different_detections is None:
        yield "the two are over other pictures"
    elif different_detections:
        yield f"detections in {different_detections} pictures differ"


def _different_scores(
    theirs: Mapping[str, Sequence[Row]], mine: Mapping[str, Sequence[Row]]
) -> Iterator[str]:
    known = {row["metric_id"]: row for row in mine["scores"]}
    for row in theirs["scores"]:
        other = known.get(row["metric_id"])
        if other is not None and _score(row) != _score(other):
            yield f"a score is {row['value']} against {other['value']}"
    for name, key in (("class", "class_name"), ("picture", "position")):
        scores = [
            {(row["metric_id"], row[key]): (row["value"], row["state"]) for row in rows}
            for rows in (theirs[f"{name}_scores"], mine[f"{name}_scores"])
        ]
        shared = scores[0].keys() & scores[1].keys()
        different = sum(scores[0][item] != scores[1][item] for item in shared)
        if different:
            yield f"{different} scores of a single {name} differ"


def same_predictions(theirs: Sequence[Row], mine: Sequence[Row]) -> int | None:
    """How many images were answered differently; None if they are other images, or missing."""
    if len(theirs) != len(mine):
        return None
    if not theirs:
        return 0
    one, other = theirs[0], mine[0]
    if one["n"] != other["n"]:
        return None
    different = 0
    for name in ("predicted", "confidence", "loss"):
        if one[name] == other[name] and one[f"{name}_dtype"] == other[f"{name}_dtype"]:
            continue
        arrays = [
            unpack_array(PackedArray(row[f"{name}_dtype"], row[name]), row["n"])
            for row in (one, other)
        ]
        unequal = arrays[0] != arrays[1]
        both_nan = (arrays[0] != arrays[0]) & (arrays[1] != arrays[1])
        different = max(different, int((unequal & ~both_nan).sum()))
    return different


def same_detections(theirs: Sequence[Row], mine: Sequence[Row]) -> int | None:
    """In how many pictures something else was found; None if they are others, or missing."""
    if len(theirs) != len(mine):
        return None
    if not theirs:
        return 0
    one, other = theirs[0], mine[0]
    if (one["picture_set_id"], one["n"]) != (other["picture_set_id"], other["n"]):
        return None
    if all(one[name] == other[name] for name in DETECTION_ARRAYS):
        return 0
    arrays = [
        unpack_detections(
            {name: PackedArray(row[f"{name}_dtype"], row[name]) for name in DETECTION_ARRAYS},
            row["n"],
            row["detection_count"],
        )
        for row in (one, other)
    ]
    return different_pictures(arrays[0], arrays[1], ["boxes", "scores", "classes"])


def analysis_difference(theirs: Sequence[Row], mine: Sequence[Row]) -> str | None:
    """Compare the quantities of two analyses, bit by bit."""
    found = [{row["name"]: plain(row) for row in rows} for rows in (theirs, mine)]
    names = [name for name in found[0].keys() | found[1].keys() if _differ(name, *found)]
    return f"its quantities {', '.join(sorted(names))} differ" if names else None


def _differ(name: str, one: Mapping[str, Row], other: Mapping[str, Row]) -> bool:
    return one.get(name) != other.get(name)


def plain(value: Any) -> Any:
    """Rows as JSON that is the same in every database: no keys, bytes as base64, times in UTC."""
    if isinstance(value, Mapping):
        return {
            str(key): plain(item) for key, item in value.items() if not str(key).endswith("_id")
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        # An interval's end that is NaN lies as NULL.
        return None if math.isnan(value) else str(value)
    return value


def _points(curves: Sequence[Row]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    return {
        (*(curve[name] for name in _CURVE), point["epoch"]): (point["value"], point["state"])
        for curve in curves
        for point in curve["points"]
    }


def _score(row: Row) -> tuple[Any, ...]:
    # Intervals follow from the value, and their last digits from the version of SciPy.
    return row["value"], row["state"], row["n"]

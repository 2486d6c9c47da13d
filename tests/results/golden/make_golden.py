"""Write the golden database of the current revision, and what must be found in it.

Run once for each new revision, before anything else changes, and commit both files:
python tests/results/golden/make_golden.py
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import build_records as build  # noqa: E402

from hfcbench.attack_types import Search  # noqa: E402
from hfcbench.detection_types import Detections  # noqa: E402
from hfcbench.reliability_checks import Check  # noqa: E402
from hfcbench.results.database.revisions import REVISIONS  # noqa: E402
from hfcbench.results.opening import open_store  # noqa: E402
from hfcbench.results.records import EvaluationRecord, TrainingRecord  # noqa: E402

ACCURACIES = {"original": 0.75, "lfc@4": 0.5, "lfc@8": 0.625, "hfc@4": 0.25, "hfc@8": 0.125}
CHECKS = (
    Check("more-steps", 0.0625, 0.02, 25),
    Check("full-range", 0.0, 0.25, 40),
    Check("verdicts-changed", 0.0, math.inf, 40),
)


def evaluations(training: TrainingRecord) -> list[EvaluationRecord]:
    """Of every kind one: components, attack, defence, ring, another metric, no number."""
    records = [
        build.evaluation(training, component, value=value, predictions=build.predictions(100, 1))
        for component, value in ACCURACIES.items()
    ]
    records += [
        build.evaluation(
            training, attack="pgd(steps=5)", epsilon=epsilon, value=value, n=40, checks=CHECKS
        )
        for epsilon, value in ((0.03, 0.375), (8 / 255, 0.25))
    ]
    ladder = Search("worst-case", "oblivious", "bfloat16", (0.03, 0.04))
    records.append(
        build.evaluation(
            training,
            attack="pgd(norm=l2)",
            epsilon=0.5,
            value=0.125,
            n=40,
            defence="jpeg",
            search=ladder,
            attack_norm="l2",
            checks=CHECKS[:1],
        )
    )
    smoothed = {"defence": "kernel-smoothing(rho=0.25)"}
    records.append(build.evaluation(training, value=0.5, **smoothed))
    records.append(build.evaluation(training, "band@4-8", decomposition="fft-band", value=0.25))
    losses = [build.score(math.inf, metric="loss"), build.score(math.nan, metric="ratio")]
    records.append(build.evaluation(training, "hfc@8", scores=losses, **smoothed))
    return records


def detections(detector: TrainingRecord) -> list[EvaluationRecord]:
    """Of a detector: the original and two components, with scores of classes and pictures."""
    found = [
        build.detected(detector, "original", value=0.5),
        build.detected(detector, "lfc@8", value=0.375, pictures=(0.25, math.nan, 0.5, 1.0), seed=1),
        build.detected(detector, "hfc@8", value=0.0, pictures=(0.0, math.nan, 0.0, 0.0), seed=2),
    ]
    none = build.detection_score(math.nan, [math.nan] * 4, metric="map-large")
    return [replace(record, scores=(*record.scores, none)) for record in found]


def main() -> None:
    path = HERE / f"revision_{REVISIONS[-1]}.db"
    path.unlink(missing_ok=True)
    trainings = [build.training(), build.training(model="lenet5", heuristics="mixup", seed=1)]
    stored = [record for training in trainings for record in evaluations(training)]
    detector = build.detector()
    trainings.append(detector)
    stored += detections(detector)
    with open_store(path, create=True) as store:
        run_id = store.begin_run(build.run())
        store.add_dataset(build.dataset())
        store.add_dataset(build.detection_dataset())
        for training in trainings:
            store.add_training(training, run_id)
        store.add_evaluations(stored, run_id)
        store.add_analyses([build.analysis(trainings[0])], run_id)
        store.add_failure(build.failure(), run_id)
        store.add_note(build.note(training_identity=trainings[0].identity), run_id)
        store.finish_run(run_id, "finished_with_failures")
    expected = {
        "trainings": {item.identity: item.checkpoint.path for item in trainings},
        "evaluations": {item.identity: _expected(item) for item in stored},
        # Older revisions know nothing of detectors.
        "newer_trainings": {detector.identity: "0005"},
        "curve_points": sum(len(item.curve) for item in trainings),
        "failures": 1,
        # Since revision 0006; gone back further, they are forgotten.
        "notes": 1,
    }
    text = json.dumps(expected, indent=1, sort_keys=True)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def _expected(record: EvaluationRecord) -> dict[str, Any]:
    since = "0001"
    if isinstance(record.predictions, Detections):
        since = "0005"
    elif record.search is not None:
        # Older revisions cannot say how images were searched for.
        since = "0004"
    return {
        "since": since,
        "component": record.component,
        "defence": record.defence,
        "attack": record.attack,
        "epsilon": record.epsilon,
        "scores": {score.metric: repr(score.score.value) for score in record.scores},
        "predictions_sha256": hashlib.sha256(build.content_of(record.predictions)).hexdigest(),
    }


if __name__ == "__main__":
    main()

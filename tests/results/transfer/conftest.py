"""Databases to copy, merge, export and damage."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hfcbench.attack_types import Search
from hfcbench.reliability_checks import Check
from hfcbench.results.opening import open_store
from hfcbench.results.records import ArtifactRecord
from hfcbench.types import Score

CHECKS = (
    Check("full-range", 0.0, 0.25, 30),
    Check("more-steps", 1 / 30, 0.02, 30),
    Check("verdicts-changed", 0.0, math.inf, 30),
)
RECORDS = Path(__file__).parents[1] / "build_records.py"


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The record builders of build_records.py."""
    specification = importlib.util.spec_from_file_location("build_records", RECORDS)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def honest(build: ModuleType) -> Callable[..., Any]:
    """An evaluation whose top1 is what its predictions give."""

    def evaluation(of: Any, component: str = "original", *, answers: int = 0, **more: Any) -> Any:
        predictions = build.predictions(more.get("n", 100), seed=answers)
        accuracy = float((predictions.labels == predictions.predicted).mean())
        record = build.evaluation(of, component, predictions=predictions, **more)
        score = Score(accuracy, accuracy - 0.1, accuracy + 0.1, len(predictions.labels))
        scores = [replace(record.scores[0], score=score)]
        if component == "hfc@8":
            scores.append(build.score(math.inf, metric="loss"))
        return replace(record, scores=tuple(scores))

    return evaluation


@pytest.fixture
def filled(build: ModuleType, honest: Callable[..., Any]) -> Callable[..., None]:
    """Fill a database with some trainings.

    ``answers`` changes what evaluations found; ``labels`` is the hash of kept labels in ``folder``;
    ``checks`` are those of attacked evaluations.
    """

    def fill(
        url: Any,
        seeds: Any = (0, 1),
        *,
        answers: int = 0,
        sha256: str = "ab",
        labels: str | None = None,
        folder: str = "a",
        checks: Sequence[Check] = CHECKS,
    ) -> None:
        with open_store(url, create=True) as store:
            store.add_dataset(build.dataset())
            run_id = store.begin_run(build.run(command=f"hfcbench run {answers}"))
            for seed in seeds:
                training = build.training(seed=seed, heuristics="batchnorm+mixup(alpha=0.5)")
                checkpoint = replace(training.checkpoint, sha256=sha256)
                training = replace(training, checkpoint=checkpoint)
                if labels is not None:
                    path = f"{folder}/{training.identity}.labels.safetensors"
                    kept = ArtifactRecord("training-labels", path, labels, 7)
                    training = replace(training, labels=kept)
                store.add_training(training, run_id)
                records = [
                    honest(training, "original", answers=answers),
                    honest(training, "lfc@8"),
                    honest(training, "hfc@8"),
                    honest(
                        training,
                        attack="pgd",
                        epsilon=8 / 255,
                        n=30,
                        search=Search("worst-case", smaller_epsilons=(0.01, 0.03)),
                        checks=checks,
                    ),
                ]
                store.add_evaluations(records, run_id)
            store.add_failure(build.failure(traceback="line\\n\t\\N 'Hünd', \"x\""), run_id)
            store.add_note(build.note(), run_id)
            store.finish_run(run_id, "finished")

    return fill

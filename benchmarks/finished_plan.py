"""A database in which a plan of any size is done: made-up answers to a handful of images."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hfcbench.attack_types import Norm
from hfcbench.results.opening import open_store
from hfcbench.results.records import (
    CHECKPOINT,
    ArtifactRecord,
    CurvePoint,
    DatasetRecord,
    RunRecord,
    ScoreRecord,
    TrainingRecord,
)
from hfcbench.results.store import Store
from hfcbench.runner.artifacts import checkpoint_path
from hfcbench.runner.plan import Node, Plan, curve_keys
from hfcbench.runner.recording import Started, evaluation_record, training_record
from hfcbench.types import DatasetDescription, Predictions, Score

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LABELS = np.arange(4, dtype=np.int64)
ANSWERS = Predictions(LABELS, LABELS, np.ones(4, np.float32), np.zeros(4, np.float32))


def make_finished(plan: Plan, database: Path, artifacts: Path) -> None:
    """Store every node of a plan as done, through the store's own writes."""
    with open_store(database, create=True) as store:
        run_id = store.begin_run(_run(plan))
        for dataset in {node.training.dataset: None for node in plan.nodes}:
            description = DatasetDescription(
                tuple(map(str, range(dataset.classes))),
                dataset.shape,
                {"train": dataset.train_size, "test": dataset.test_size},
                "made",
            )
            store.add_dataset(
                DatasetRecord(dataset.title, dataset.version, {}, dataset.fingerprint, description)
            )
        for node in plan.nodes:
            _finish(node, store, run_id, artifacts)
        store.finish_run(run_id, "finished")


def _finish(node: Node, store: Store, run_id: int, artifacts: Path) -> None:
    path = checkpoint_path(node.training.identity)
    (artifacts / path).parent.mkdir(parents=True, exist_ok=True)
    (artifacts / path).touch()
    store.add_training(_training(node, ArtifactRecord(CHECKPOINT, path, "0" * 64, 0)), run_id)
    scores = [
        ScoreRecord(metric.label, metric.version, Score(0.5, 0.4, 0.6, len(LABELS)))
        for metric in node.metrics
    ]
    norm: Norm = "linf"
    store.add_evaluations(
        [
            evaluation_record(
                evaluation,
                ANSWERS,
                scores,
                "cpu",
                NOW,
                1.0,
                attack_norm=None if evaluation.attack is None else norm,
            )
            for evaluation in node.evaluations
        ],
        run_id,
    )


def _training(node: Node, checkpoint: ArtifactRecord) -> TrainingRecord:
    curve = [
        CurvePoint(1, split, component, decomposition, rescaling, "top1", 0.5, n)
        for split, component, decomposition, rescaling, n in sorted(curve_keys(node))
    ]
    return training_record(
        node.training,
        Started("cpu", NOW),
        checkpoint=checkpoint,
        curve=curve,
        epochs=node.training.schedule.epochs,
        parameter_count=1,
        curve_seconds=0.0,
    )


def _run(plan: Plan) -> RunRecord:
    return RunRecord(
        started_at=NOW,
        command="made",
        suite=plan.suite,
        hfcbench_version="made",
        python_version="made",
        torch_version="made",
        cuda_version=None,
        driver_version=None,
        packages={},
        git_revision=None,
        git_dirty=None,
        host="made",
        platform="made",
        device="cpu",
    )

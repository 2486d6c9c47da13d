"""A results database of any size, made in seconds: what a large group's year of work looks like."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from hfcbench.results.column_types import digest_of
from hfcbench.results.database.engine import writing
from hfcbench.results.opening import open_store
from hfcbench.results.schema import (
    Condition,
    Dataset,
    Evaluation,
    Metric,
    ReliabilityCheck,
    Run,
    Training,
    TrainingHeuristic,
)
from hfcbench.results.writing.rows import insert_row
from hfcbench.results.writing.scores import insert_score_rows

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATASETS = ("cifar10", "cifar100", "mnist", "svhn", "pets", "food", "aircraft", "textures")
MODELS = ("lenet5", "alexnet", "vgg11", "resnet18", "preact-resnet32")
HEURISTICS = (
    *("vanilla", "mixup", "batchnorm", "dropout", "batchnorm+mixup"),
    *("batch-size:16", "optimizer:Adam", "label-shuffling", "adversarial", "dropout+mixup"),
)
SEEDS = range(5)
DEFENCES = ("none", "jpeg(quality=75)", "kernel-smoothing(rho=0.25)", "low-pass", "bit-depth")
CUTOFFS = (4.0, 8.0, 12.0, 16.0, 20.0)
ATTACKS = ("fgsm", "pgd(steps=20)")
EPSILONS = (0.01, 0.03, 0.06)
METRICS = ("top1", "loss", "entropy", "calibration")


def conditions() -> list[dict[str, Any]]:
    """40 conditions for each defence: components of two cuts, and attacks on some of them."""
    cuts = (("fft-radial", "none"), ("fft-radial", "mean"))
    rows = []
    for defence in DEFENCES:
        rows.append(_condition(defence))
        for (name, rescaling), part, cutoff in itertools.product(cuts, ("lfc", "hfc"), CUTOFFS):
            rows.append(_condition(defence, part, cutoff, name, rescaling))
        for attack, epsilon in itertools.product(ATTACKS, EPSILONS):
            rows.append(_condition(defence, attack=attack, epsilon=epsilon))
            rows.append(_condition(defence, "lfc", 8.0, "fft-radial", "none", attack, epsilon))
            rows.append(_condition(defence, "hfc", 8.0, "fft-radial", "none", attack, epsilon))
    return rows


def make_database(path: Path, score_count: int) -> None:
    """Fill a new SQLite file with trainings until it has ``score_count`` scores."""
    per_training = len(conditions()) * len(METRICS)
    trainings = max(1, score_count // per_training)
    with open_store(path, create=True) as store, writing(store._engine).begin() as connection:
        condition_ids = [insert_row(connection, Condition, row) for row in conditions()]
        metric_ids = [
            insert_row(
                connection,
                Metric,
                {"name": name, "version": "1", "higher_is_better": name != "loss"},
            )
            for name in METRICS
        ]
        _add_trainings(connection, trainings)
        _add_evaluations(connection, trainings, condition_ids)
        _add_checks(connection, trainings, condition_ids)
        insert_score_rows(connection, list(score_rows(trainings, condition_ids, metric_ids)))


def score_rows(
    trainings: int, condition_ids: list[int], metric_ids: list[int]
) -> Iterator[tuple[Any, ...]]:
    """Complete rows of table ``scores``: all trainings under all conditions."""
    values = np.random.default_rng(0).random(trainings * len(condition_ids) * len(metric_ids))
    numbers = iter(values.tolist())
    evaluation_id = 0
    for training_id in range(1, trainings + 1):
        for condition_id in condition_ids:
            evaluation_id += 1
            for metric_id in metric_ids:
                value = next(numbers)
                yield (
                    *(evaluation_id, metric_id, training_id, condition_id, 10_000),
                    *(value, "finite", value - 0.01, value + 0.01),
                )


def _add_trainings(connection: Connection, count: int) -> None:
    run = {
        "uuid": "made",
        "started_at": NOW,
        "status": "finished",
        "packages": {},
        **dict.fromkeys(
            ("command", "suite", "hfcbench_version", "python_version", "torch_version", "host"),
            "made",
        ),
        "platform": "made",
        "device": "cpu",
    }
    run_id = insert_row(connection, Run, run)
    for name in DATASETS:
        size = {"channels": 3, "height": 32, "width": 32}
        empty = {"parameters": {}, "classes": [], "sizes": {}, "source": ""}
        content = {"name": name, "version": "1", "fingerprint": _hash(name)}
        insert_row(connection, Dataset, {**content, **size, **empty})
    every = itertools.cycle(itertools.product(range(len(DATASETS)), MODELS, HEURISTICS, SEEDS))
    rows, heuristics = [], []
    for training_id, (dataset, model, combination, seed) in enumerate(
        itertools.islice(every, count), start=1
    ):
        specification = {"dataset": dataset, "model": model, "heuristics": combination}
        round_number = training_id // (len(DATASETS) * len(MODELS) * len(HEURISTICS) * len(SEEDS))
        rows.append(
            {
                "training_id": training_id,
                "identity": _hash(str(training_id)),
                "configuration": digest_of({**specification, "round": round_number}),
                "run_id": run_id,
                "dataset_id": dataset + 1,
                "scale": "full",
                "model": model,
                "model_version": "1",
                "heuristics": combination,
                "trained_on": "original",
                "seed": seed,
                "epochs": 100,
                "parameter_count": 1,
                "device": "cpu",
                "started_at": NOW,
                "duration_seconds": 1.0,
                "specification": {**specification, "seed": seed},
            }
        )
        for position, label in enumerate(combination.split("+")):
            if label != "vanilla":
                row = {"training_id": training_id, "position": position, "label": label}
                heuristics.append({**row, "name": label.partition(":")[0]})
    connection.execute(insert(Training), rows)
    if heuristics:
        connection.execute(insert(TrainingHeuristic), heuristics)


def _add_evaluations(connection: Connection, trainings: int, condition_ids: list[int]) -> None:
    columns = (
        *("evaluation_id", "identity", "training_id", "run_id", "n"),
        *("device", "started_at", "duration_seconds", "specification", "condition_id"),
    )
    rows = (
        dict(
            zip(
                columns,
                (number, f"{number:064x}", training, 1, 10_000, "cpu", NOW, 1.0, {}, condition),
                strict=True,
            )
        )
        for number, (training, condition) in enumerate(
            itertools.product(range(1, trainings + 1), condition_ids), start=1
        )
    )
    while chunk := list(itertools.islice(rows, 50_000)):
        connection.execute(insert(Evaluation), chunk)


def _add_checks(connection: Connection, trainings: int, condition_ids: list[int]) -> None:
    """Five checks of each score under attack, of which one in forty is flagged."""
    attacked = [row["attack"] != "none" for row in conditions()]
    keys = [
        position + 1
        for position in range(trainings * len(condition_ids))
        if attacked[position % len(condition_ids)]
    ]
    limits = {
        "vanishing-gradients": 0.1,
        "random-answers": 0.0,
        "full-range": 0.25,
        "more-steps": 0.02,
        "verdicts-changed": None,
    }
    values = np.random.default_rng(1).random(len(keys) * len(limits))
    numbers = iter(values.tolist())
    rows = []
    for key, (name, limit) in itertools.product(keys, limits.items()):
        flagged = next(numbers) < 1 / 40 and limit is not None
        value = 1.0 if flagged else 0.0
        rows.append((key, name, value, limit, flagged, 50))
    columns = ", ".join(ReliabilityCheck.__table__.columns.keys())
    connection.exec_driver_sql(
        f"INSERT INTO reliability_checks ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows
    )


def _condition(
    defence: str,
    part: str = "original",
    cutoff: float | None = None,
    decomposition: str | None = None,
    rescaling: str | None = None,
    attack: str = "none",
    epsilon: float | None = None,
) -> dict[str, Any]:
    columns = {
        "procedure": "1",
        "split": "test",
        "defence": defence,
        "defence_version": None if defence == "none" else "1",
        "attack": attack,
        "attack_version": None if attack == "none" else "1",
        "epsilon": epsilon,
        "component": part if cutoff is None else f"{part}@{cutoff:g}",
        "part": part,
        "cutoff": cutoff,
        "cutoff_inner": None,
        "decomposition": decomposition,
        "decomposition_version": None if decomposition is None else "1",
        "rescaling": rescaling,
        **_search(attack, epsilon, decomposition),
    }
    return {"digest": digest_of(columns), **columns}


def _search(attack: str, epsilon: float | None, decomposition: str | None) -> dict[str, Any]:
    """How images were searched for: by PGD at all smaller epsilons before."""
    names = ("attack_norm", "criterion", "attack_mode", "attack_precision", "smaller_epsilons")
    if attack == "none":
        return dict.fromkeys(names)
    criterion = "exact" if attack == "fgsm" else "worst-case" if decomposition is None else "full"
    smaller = ",".join(f"{one!r}" for one in EPSILONS if one < (epsilon or 0.0))
    searched = smaller if criterion == "worst-case" and smaller else None
    return dict(zip(names, ("linf", criterion, "adaptive", "float32", searched), strict=True))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def identity_of_training(number: int) -> str:
    """The identity of the training with this key."""
    return _hash(str(number))

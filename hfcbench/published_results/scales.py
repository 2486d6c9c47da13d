"""Whether what was shrunk says so: a reduced result must never pass for one of full scale."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfcbench.errors import HfcbenchError
from hfcbench.plugins import load_plugins
from hfcbench.registry import Registry
from hfcbench.results.database.sqlite_files import file_uri
from hfcbench.results.transfer.problems import Problem
from hfcbench.runner.specification import FULL_SCALE
from hfcbench.runner.suite_schema import merged
from hfcbench.runner.suite_search import suite_files
from hfcbench.types import Schedule


@dataclass(frozen=True)
class FullSize:
    """The least that the blocks of a suite ask for at full scale; infinity is all images.

    Attributes:
        epochs: of a training.
        train, test, attack: images of a training, an evaluation, and one under attack.
    """

    epochs: float
    train: float
    test: float
    attack: float


def full_size(suite: str, registry: Registry) -> FullSize:
    """What a suite is at full scale.

    Raises:
        SpecificationError: there is no such suite.
    """
    blocks = [
        merged(block, file.suite)
        for file in suite_files(suite, ((("scale",), FULL_SCALE),), registry)
        for block in file.suite.blocks
    ]
    schedules = [block.schedule.epochs if block.schedule else None for block in blocks]
    samples = [block.samples.model_dump() if block.samples else {} for block in blocks]
    test = min(_all(part.get("test")) for part in samples)
    return FullSize(
        epochs=min(Schedule().epochs if epochs is None else epochs for epochs in schedules),
        train=min(_all(part.get("train")) for part in samples),
        test=test,
        attack=min([test, *(_all(part.get("attack")) for part in samples)]),
    )


def scale_problems(path: Path) -> Iterator[Problem]:
    """Trainings and evaluations at a smaller scale than their suite's whose rows say ``full``."""
    registry = load_plugins().registry
    sizes: dict[str, FullSize | None] = {}

    def size_of(suite: str) -> FullSize | None:
        if suite not in sizes:
            try:
                sizes[suite] = full_size(suite, registry)
            except HfcbenchError:
                # A suite file of somebody's, or one that has no full scale.
                sizes[suite] = None
        return sizes[suite]

    with closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as connection:
        for kind, suite, identity, specification in connection.execute(_FULL, (FULL_SCALE,) * 2):
            where, full = f"{kind} {identity[:12]}", size_of(suite)
            if full is None:
                yield Problem(where, f"it is of the suite '{suite}', whose full scale is not known")
                continue
            for what in _shrunk(json.loads(specification), full):
                yield Problem(where, f"{what} than '{suite}' at full scale, and says full")


_FULL = """
SELECT 'training', runs.suite, trainings.identity, trainings.specification
FROM trainings JOIN runs USING (run_id) WHERE trainings.scale = ?
UNION ALL
SELECT 'evaluation', runs.suite, evaluations.identity, evaluations.specification
FROM evaluations JOIN runs ON runs.run_id = evaluations.run_id
JOIN trainings ON trainings.training_id = evaluations.training_id WHERE trainings.scale = ?
"""


def _shrunk(document: Mapping[str, Any], full: FullSize) -> Iterator[str]:
    samples = _all(document.get("samples"))
    if document.get("kind") == "training":
        if document["schedule"]["epochs"] < full.epochs:
            yield "it has fewer epochs"
        if samples < full.train:
            yield "it has fewer training images"
    elif samples < (full.test if document.get("attack") is None else full.attack):
        yield "it has fewer test images"


def _all(samples: int | None) -> float:
    return math.inf if samples is None else samples

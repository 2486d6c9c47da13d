"""What the runner hands to the store: plain values, one record per finished thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from hfcbench.attack_types import Norm, Search
from hfcbench.detection_types import Detections
from hfcbench.quantities import Quantity
from hfcbench.reliability_checks import Check
from hfcbench.types import JSON, DatasetDescription, Predictions, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PluginRecord:
    """A plugin that was loaded during a run."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True)
class RunRecord:
    """One invocation: when, by which command, on which machine and with which versions.

    Attributes:
        packages: versions of the distributions that numbers depend on, by name.
        driver_version: of the GPU's driver, where the run used a GPU.
        device: what PyTorch calls it, e.g. ``cuda:0``.
        device_name: what its maker calls it; of a processor also how many threads compute.
    """

    started_at: datetime
    command: str
    suite: str
    hfcbench_version: str
    python_version: str
    torch_version: str
    cuda_version: str | None
    driver_version: str | None
    packages: Mapping[str, str]
    git_revision: str | None
    git_dirty: bool | None
    host: str
    platform: str
    device: str
    device_name: str | None = None
    plugins: Sequence[PluginRecord] = ()


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset as it was decoded; ``fingerprint`` is the sha256 of its content."""

    name: str
    version: str
    parameters: Mapping[str, JSON]
    fingerprint: str
    description: DatasetDescription


CHECKPOINT = "checkpoint"
"""The kind of artifact that every training has: the trained weights."""

TRAINING_LABELS = "training-labels"
"""The kind of artifact that says on which labels a model was trained, if not the dataset's."""


@dataclass(frozen=True)
class ArtifactRecord:
    """A file that belongs to a training; ``path`` is relative to the artifacts folder."""

    kind: str
    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class CurvePoint:
    """One number measured after an epoch (1 is the first) on ``n`` images."""

    epoch: int
    split: str
    component: str
    decomposition: str | None
    rescaling: str | None
    metric: str
    value: float
    n: int


@dataclass(frozen=True)
class TrainingRecord:
    """A finished training; names are labels such as ``resnet18(width=16)``.

    Attributes:
        labels: the file of the labels that heuristics made; None where they are the dataset's.
        curve_seconds: the part of ``duration_seconds`` that measuring the curves took.
    """

    identity: str
    specification: Mapping[str, JSON]
    dataset_fingerprint: str
    dataset_name: str
    model: str
    heuristics: str
    trained_on: str
    rescaling: str | None
    seed: int
    epochs: int
    parameter_count: int
    device: str
    started_at: datetime
    duration_seconds: float
    checkpoint: ArtifactRecord
    curve: Sequence[CurvePoint]
    curve_seconds: float | None = None
    labels: ArtifactRecord | None = None

    @property
    def artifacts(self) -> tuple[ArtifactRecord, ...]:
        """All files of the training."""
        return (self.checkpoint,) if self.labels is None else (self.checkpoint, self.labels)


@dataclass(frozen=True, eq=False)
class ScoreRecord:
    """A metric's value over one evaluation, with what a detector's consists of.

    Attributes:
        classes: of detections, the metric over each class that it means anything for, by name.
        pictures: of detections, the metric over each picture alone, ``(N,)`` float64, NaN where it
            means nothing; None where it is not kept for each.
    """

    metric: str
    metric_version: str
    score: Score
    higher_is_better: bool = True
    classes: Mapping[str, Score] = field(default_factory=dict)
    pictures: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class EvaluationRecord:
    """A finished evaluation; ``defence`` and ``attack`` are labels or ``none``.

    Attributes:
        predictions: what the model answered; of a detector what it found.
        component: what was fed to the model, e.g. ``original`` or ``lfc@8``.
        part: ``original`` or the name of the decomposition's part, e.g. ``lfc``.
        cutoff: radius or rank (the outer one of a ring); None for originals.
        cutoff_inner: inner radius of a ring, otherwise None.
        attack_norm: what epsilon limits; None without an attack.
        search: how the attack's images were searched for; None without one, and of results from
            before there was a choice.
        checks: how far a score under attack is to be trusted.
    """

    identity: str
    training_identity: str
    specification: Mapping[str, JSON]
    split: str
    defence: str
    attack: str
    epsilon: float | None
    component: str
    part: str
    cutoff: float | None
    cutoff_inner: float | None
    decomposition: str | None
    rescaling: str | None
    device: str
    started_at: datetime
    duration_seconds: float
    predictions: Predictions | Detections
    scores: Sequence[ScoreRecord]
    attack_norm: Norm | None = None
    search: Search | None = None
    checks: Sequence[Check] = ()

    @property
    def n(self) -> int:
        """How many images or pictures it is over."""
        found = self.predictions
        return len(found.labels) if isinstance(found, Predictions) else len(found)


@dataclass(frozen=True)
class AnalysisRecord:
    """A finished analysis over ``n`` images; ``defence`` and ``attack`` are labels or ``none``."""

    identity: str
    training_identity: str
    specification: Mapping[str, JSON]
    analysis: str
    split: str
    defence: str
    attack: str
    epsilon: float | None
    n: int
    device: str
    started_at: datetime
    duration_seconds: float
    quantities: Sequence[Quantity]


@dataclass(frozen=True)
class FailureRecord:
    """A node that failed: ``kind`` is ``training``, ``evaluation`` or ``analysis``."""

    identity: str
    kind: str
    label: str
    error: str
    traceback: str
    failed_at: datetime

"""The units of work that executors run, and what comes back from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hfcbench.references import Reference
from hfcbench.results.records import (
    AnalysisRecord,
    EvaluationRecord,
    FailureRecord,
    TrainingRecord,
)
from hfcbench.runner.specification import (
    AnalysisSpecification,
    ComponentSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)


@dataclass(frozen=True)
class CurvePlan:
    """What is measured after every epoch: components, on at most ``samples`` images a split."""

    components: tuple[ComponentSpecification, ...] = ()
    samples: int | None = None

    def with_component(self, component: ComponentSpecification) -> CurvePlan:
        """Also of what the model is trained on, if there is a curve at all."""
        if not self.components or component in self.components:
            return self
        return replace(self, components=(*self.components, component))


@dataclass(frozen=True)
class TrainingTask:
    """Train one model.

    Attributes:
        expected_sha256: the known checkpoint's hash where the training is only repeated, for a
            lost checkpoint file or for curves that were not measured the first time.
        expected_labels_sha256: likewise of the file of training labels, where there is one.
    """

    specification: TrainingSpecification
    curve: CurvePlan
    expected_sha256: str | None = None
    expected_labels_sha256: str | None = None

    @property
    def identity(self) -> str:
        return self.specification.identity

    @property
    def label(self) -> str:
        return f"train {self.specification.label}"


@dataclass(frozen=True)
class EvaluationTask:
    """Run all missing evaluations of one trained model in one pass over its images."""

    training: TrainingSpecification
    evaluations: tuple[EvaluationSpecification, ...]
    metrics: tuple[Reference, ...]
    checkpoint_sha256: str | None = None

    @property
    def needs(self) -> str:
        """The identity of the training whose checkpoint this needs."""
        return self.training.identity

    @property
    def label(self) -> str:
        return f"evaluate {self.training.label} ({len(self.evaluations)} conditions)"


@dataclass(frozen=True)
class AnalysisTask:
    """Run all missing analyses of one trained model."""

    training: TrainingSpecification
    analyses: tuple[AnalysisSpecification, ...]
    checkpoint_sha256: str | None = None

    @property
    def needs(self) -> str:
        """The identity of the training whose checkpoint this needs."""
        return self.training.identity

    @property
    def label(self) -> str:
        return f"analyse {self.training.label} ({len(self.analyses)} analyses)"


Task = TrainingTask | EvaluationTask | AnalysisTask


def training_of(task: Task) -> str:
    """The identity of the training that a task is or needs: what is claimed for it."""
    return task.identity if isinstance(task, TrainingTask) else task.needs


@dataclass(frozen=True)
class Outcome:
    """What a task produced; evaluations and analyses may both succeed and fail in parts.

    Attributes:
        notes: what people should know about how it was done, a sentence each.
        skipped: the training that the task needed had failed, so it did not run.
        deferred: another process works on it, or has done so meanwhile; it did not run here.
    """

    training: TrainingRecord | None = None
    evaluations: Sequence[EvaluationRecord] = ()
    analyses: Sequence[AnalysisRecord] = ()
    failures: Sequence[FailureRecord] = ()
    notes: Sequence[str] = ()
    skipped: bool = False
    deferred: bool = False


@dataclass(frozen=True)
class RunSummary:
    """Counts of what a run did."""

    trained: int
    evaluated: int
    failed: int
    skipped: int
    seconds: float
    interrupted: bool = False
    analysed: int = 0

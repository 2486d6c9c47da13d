"""Complete descriptions of trainings and evaluations, and the identities made from them.

An identity is the sha256 of everything that decides a result. Two nodes of equal identity have the
same result, wherever and by whichever suite they were asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from hfcbench.attack_types import Search
from hfcbench.references import Reference
from hfcbench.types import JSON, Cutoff, ImageShape, Schedule, Task

# Raise these when a change to a training loop or an evaluation engine changes results.
TRAINING_PROCEDURE: Mapping[Task, str] = {"classification": "1", "detection": "1"}
EVALUATION_PROCEDURE: Mapping[Task, str] = {"classification": "1", "detection": "1"}

FULL_SCALE = "full"
"""The scale of a study with its own parameters; anything else was shrunk."""


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Mapping[str, JSON]) -> str:
    """One text per value: sorted keys, no spaces, no NaN."""
    return _CANONICAL.encode(value)


def identity_of(value: Mapping[str, JSON]) -> str:
    """The sha256 of a specification's canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@dataclass(frozen=True)
class DatasetKey:
    """A dataset by content; parameters and place do not matter once it is decoded.

    Attributes:
        title: what people and tables call it: its label, of a folder the last part only.
        shape: of every image, or what every picture of a detection dataset fits into.
        class_names: of a detection dataset; detectors must know them.
    """

    name: str
    title: str
    version: str
    fingerprint: str
    shape: ImageShape
    classes: int
    train_size: int
    test_size: int
    reference: Reference
    task: Task = "classification"
    class_names: tuple[str, ...] = ()

    def canonical(self) -> dict[str, JSON]:
        return {"name": self.name, "version": self.version, "fingerprint": self.fingerprint}


@dataclass(frozen=True)
class ComponentSpecification:
    """What is fed to a model: the original, or a part of a decomposition at a cutoff."""

    part: str = "original"
    part_index: int = 0
    cutoff: Cutoff | None = None
    decomposition: Reference | None = None
    rescaling: str | None = None

    @cached_property
    def label(self) -> str:
        """``original``, ``lfc@8`` or ``band@4-8``."""
        if self.cutoff is None:
            return self.part
        ends = self.cutoff if isinstance(self.cutoff, tuple) else (self.cutoff,)
        return f"{self.part}@{'-'.join(f'{end:g}' for end in ends)}"

    def canonical(self) -> dict[str, JSON]:
        if self.decomposition is None:
            return {"part": "original"}
        return {
            "part": self.part,
            "cutoff": self.cutoff,
            "decomposition": self.decomposition.canonical(),
            "rescaling": self.rescaling,
        }


ORIGINAL = ComponentSpecification()


@dataclass(frozen=True)
class TrainingSpecification:
    """All that decides a checkpoint.

    Attributes:
        files: the sha256 of the files that the model's parameters name; None where there are none.
    """

    dataset: DatasetKey
    component: ComponentSpecification
    model: Reference
    heuristics: tuple[Reference, ...]
    schedule: Schedule
    seed: int
    samples: int | None = None
    scale: str = FULL_SCALE
    files: str | None = None

    @property
    def heuristics_label(self) -> str:
        return "+".join(heuristic.label for heuristic in self.heuristics) or "vanilla"

    @property
    def label(self) -> str:
        """One line for people: what is trained, how, on what."""
        trained_on = "" if self.component == ORIGINAL else f" on {self.component.label}"
        return (
            f"{self.model.label}, {self.heuristics_label}{trained_on}, "
            f"{self.dataset.title}, seed {self.seed}"
        )

    @property
    def canonical(self) -> dict[str, JSON]:
        return {
            "kind": "training",
            "procedure": TRAINING_PROCEDURE[self.dataset.task],
            "dataset": self.dataset.canonical(),
            "component": self.component.canonical(),
            "model": self.model.canonical(),
            "heuristics": [heuristic.canonical() for heuristic in self.heuristics],
            "schedule": asdict(self.schedule),
            "seed": self.seed,
            "samples": self.samples,
            # A shrunk study says so in its identity, and so never passes for a full one.
            **({} if self.scale == FULL_SCALE else {"scale": self.scale}),
            **({} if self.files is None else {"files": self.files}),
        }

    @cached_property
    def identity(self) -> str:
        return identity_of(self.canonical)


@dataclass(frozen=True)
class EvaluationSpecification:
    """All that decides the predictions of one checkpoint under one condition.

    Attributes:
        search: of the attack, if there is one.
    """

    training: TrainingSpecification
    component: ComponentSpecification
    defence: Reference | None = None
    attack: Reference | None = None
    epsilon: float | None = None
    split: str = "test"
    samples: int | None = None
    search: Search | None = None

    @property
    def label(self) -> str:
        """One line for people: the condition after the model."""
        parts = [self.component.label]
        if self.attack is not None:
            search = self.search or Search("full")
            mode = "" if search.mode == "adaptive" else f"{search.mode} "
            parts.insert(0, f"{mode}{self.attack.label} eps {self.epsilon:g}")
        if self.defence is not None:
            parts.insert(0, self.defence.label)
        return f"{', '.join(parts)} of {self.training.label}"

    @property
    def canonical(self) -> dict[str, JSON]:
        return {
            "kind": "evaluation",
            "component": self.component.canonical(),
            # Unlike asdict, without a deep copy of each value.
            **({} if self.search is None else {"search": dict(vars(self.search))}),
            **_of_checkpoint(self),
        }

    @cached_property
    def identity(self) -> str:
        return identity_of(self.canonical)


@dataclass(frozen=True)
class AnalysisSpecification:
    """All that decides the quantities that an analysis finds in one checkpoint."""

    training: TrainingSpecification
    analysis: Reference
    defence: Reference | None = None
    attack: Reference | None = None
    epsilon: float | None = None
    split: str = "test"
    samples: int | None = None

    @property
    def label(self) -> str:
        """One line for people: the analysis, its conditions, then the model."""
        parts = [self.analysis.label]
        if self.attack is not None:
            parts.append(f"{self.attack.label} eps {self.epsilon:g}")
        if self.defence is not None:
            parts.append(self.defence.label)
        return f"{', '.join(parts)} of {self.training.label}"

    @property
    def canonical(self) -> dict[str, JSON]:
        return {
            "kind": "analysis",
            "analysis": self.analysis.canonical(),
            **_of_checkpoint(self),
        }

    @cached_property
    def identity(self) -> str:
        return identity_of(self.canonical)


def _of_checkpoint(
    specification: EvaluationSpecification | AnalysisSpecification,
) -> dict[str, JSON]:
    """What the identity of anything that is found out about a checkpoint is made of."""
    defence, attack = specification.defence, specification.attack
    return {
        "procedure": EVALUATION_PROCEDURE[specification.training.dataset.task],
        "training": specification.training.identity,
        "defence": None if defence is None else defence.canonical(),
        "attack": None if attack is None else attack.canonical(),
        "epsilon": specification.epsilon,
        "split": specification.split,
        "samples": specification.samples,
    }

"""From a checked suite to complete specifications: every name resolved, every value in range."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.attack_expansion import AttackExpansion, EvaluationCondition
from hfcbench.runner.block_checks import BlockChecks
from hfcbench.runner.block_reader import BlockReader
from hfcbench.runner.specification import (
    AnalysisSpecification,
    ComponentSpecification,
    DatasetKey,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.suite_file import Path, SuiteFile
from hfcbench.runner.suite_schema import (
    BlockSchema,
    Named,
    evaluation_count,
    merged,
)
from hfcbench.runner.tasks import CurvePlan
from hfcbench.types import DataLocation

NO_DEFENCE = "none"
MOST_EVALUATIONS = 250_000

AnalysisCondition: TypeAlias = partial[AnalysisSpecification]
"""An analysis of any training: all that trainings share is made once for all of them."""


class KnownDatasets(Protocol):
    """Where specifications find out about datasets: their files, or a results database."""

    @property
    def location(self) -> DataLocation:
        """Where paths of datasets lead from."""

    def key(self, reference: Reference) -> DatasetKey:
        """The dataset as specifications refer to it; DataError where it is not known."""


@dataclass(frozen=True)
class PlannedTraining:
    """A training with the curves, evaluations and analyses that a suite wants of it."""

    specification: TrainingSpecification
    curve: CurvePlan
    evaluations: tuple[EvaluationSpecification, ...]
    metrics: tuple[Reference, ...]
    analyses: tuple[AnalysisSpecification, ...] = ()


def expand(file: SuiteFile, registry: Registry, datasets: KnownDatasets) -> list[PlannedTraining]:
    """Every training of a suite with its evaluations, in the order of the file.

    Raises:
        SpecificationError: an unknown name or value, or a combination that cannot work, with
            file and line.
        DataError: a dataset that is not there.
    """
    blocks = [merged(block, file.suite) for block in file.suite.blocks]
    _check_size(file, blocks)
    planned: list[PlannedTraining] = []
    for index, block in enumerate(blocks):
        reader = BlockReader(file, index, block, registry, datasets.location)
        expansion = _BlockExpansion(reader, registry, datasets, file.suite.scale)
        planned.extend(expansion.trainings())
    return planned


def _check_size(file: SuiteFile, blocks: Sequence[BlockSchema]) -> None:
    """Refuse what planning alone would take hours and all memory for."""
    count = 0
    for index, block in enumerate(blocks):
        count += evaluation_count(block)
        if count > MOST_EVALUATIONS:
            raise file.error(
                ("blocks", index),
                f"with this block the suite has {count:.3g} evaluations; "
                f"at most {MOST_EVALUATIONS} are planned at once",
                "split it into several suites; they may share a database",
            )


class _BlockExpansion:
    """The trainings of one block, with everything that is asked of each."""

    def __init__(
        self, reader: BlockReader, registry: Registry, datasets: KnownDatasets, scale: str
    ) -> None:
        self._read = reader
        self._registry = registry
        self._datasets = datasets
        self._scale = scale
        self._checks = BlockChecks(reader, registry, datasets.location)

    def trainings(self) -> Iterator[PlannedTraining]:
        block = self._read.block
        defences = [
            None
            if item == NO_DEFENCE
            else self._read.reference("defence", item, ("defences", position))
            for position, item in enumerate(block.defences or [])
        ]
        attacks = AttackExpansion(
            self._read,
            self._registry,
            tuple(self._read.references("attack", "attacks", block.attacks or [])),
        )
        analyses = self._read.references("analysis", "analyses", block.analyses or [])
        models = self._read.references("model", "models", block.models or [])
        combinations = [
            self._read.combination(item, ("heuristics", position))
            for position, item in enumerate(block.heuristics or [])
        ]
        for position, item in enumerate(block.datasets or []):
            dataset = self._dataset(item, ("datasets", position))
            metrics = self._checks.metrics(dataset)
            self._checks.applicable(dataset, attacks.references, analyses)
            trained_on = self._read.components(dataset, "train_on", block.train_on or [])
            evaluated = self._read.components(dataset, "components", block.components or [])
            attacked = self._read.components(
                dataset, "attack_components", block.attack_components or []
            )
            curve = self._curve(dataset)
            attacks.check(dataset.shape)
            checked_analyses = self._checks.analyses(analyses, dataset, bool(attacks.references))
            conditions = tuple(self._conditions(dataset, defences, attacks, evaluated, attacked))
            analysed = tuple(self._analysed(dataset, defences, attacks, checked_analyses))
            for (place, model), (number, heuristics), component, seed in itertools.product(
                enumerate(models), enumerate(combinations), trained_on, block.seeds or []
            ):
                schedule = self._read.schedule()
                files = self._checks.recipe(
                    dataset, model, ("models", place), heuristics, ("heuristics", number), schedule
                )
                training = TrainingSpecification(
                    dataset,
                    component,
                    model,
                    heuristics,
                    schedule,
                    seed,
                    self._read.samples("train", dataset.train_size),
                    self._scale,
                    files,
                )
                yield PlannedTraining(
                    training,
                    curve.with_component(component),
                    tuple(condition(training) for condition in conditions),
                    tuple(metrics),
                    tuple(condition(training) for condition in analysed),
                )

    def _conditions(
        self,
        dataset: DatasetKey,
        defences: list[Reference | None],
        attacks: AttackExpansion,
        components: list[ComponentSpecification],
        attacked: list[ComponentSpecification],
    ) -> Iterator[EvaluationCondition]:
        samples = self._read.samples("test", dataset.test_size)
        fewer = self._read.first_samples(("attack", "test"), dataset.test_size)
        for defence in defences:
            for component in components:
                yield partial(
                    EvaluationSpecification, component=component, defence=defence, samples=samples
                )
            yield from attacks.conditions(defence, fewer, attacked)

    def _analysed(
        self,
        dataset: DatasetKey,
        defences: list[Reference | None],
        attacks: AttackExpansion,
        analyses: list[tuple[Reference, bool]],
    ) -> Iterator[AnalysisCondition]:
        size = dataset.test_size
        for defence, (reference, attacked) in itertools.product(defences, analyses):
            samples = self._read.first_samples(("analysis", "attack", "test"), size)
            if not attacked:
                samples = self._read.first_samples(("analysis", "test"), size)
            plain = partial(
                AnalysisSpecification, analysis=reference, defence=defence, samples=samples
            )
            if not attacked:
                yield plain
                continue
            for attack, epsilon in itertools.product(attacks.references, attacks.epsilons):
                yield partial(plain, attack=attack, epsilon=epsilon)

    def _curve(self, dataset: DatasetKey) -> CurvePlan:
        curves = self._read.block.curves
        if curves is None:
            return CurvePlan()
        components = self._read.components(
            dataset, "curves", curves.components or [], inside=("components",)
        )
        return CurvePlan(tuple(components), curves.samples)

    def _dataset(self, item: Named, path: Path) -> DatasetKey:
        reference = self._read.reference("dataset", item, path)
        key = self._datasets.key(reference)
        sizes = dict.fromkeys(("test", "attack", "analysis"), key.test_size)
        sizes["train"] = key.train_size
        for split, size in sizes.items():
            wanted = self._read.samples(split, size)
            if wanted is not None and wanted > size:
                raise self._read.error(
                    ("samples", split),
                    f"{wanted} images are asked for, {reference.label} has {size}",
                )
        return key

"""From a checked suite to complete specifications: every name resolved, every value in range."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from hfcbench.detection_types import Detector, is_detector
from hfcbench.errors import SpecificationError
from hfcbench.optimizers import check_optimizer
from hfcbench.recipes import configured
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.attack_expansion import AttackExpansion
from hfcbench.runner.block_reader import BlockReader
from hfcbench.runner.detector_checks import check_learnable, check_nothing_attacked, check_task
from hfcbench.runner.specification import (
    ORIGINAL,
    AnalysisSpecification,
    ComponentSpecification,
    DatasetKey,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.runner.suite_file import Path, SuiteFile
from hfcbench.runner.suite_schema import (
    DEFAULT_METRICS,
    BlockSchema,
    Named,
    evaluation_count,
    merged,
)
from hfcbench.runner.tasks import CurvePlan
from hfcbench.types import DataLocation, Model, Recipe, Schedule

if TYPE_CHECKING:
    from hfcbench.quantities import Analysis

NO_DEFENCE = "none"
MOST_EVALUATIONS = 250_000


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
            metrics = self._metrics(dataset)
            self._check_applicable(dataset, attacks.references, analyses)
            trained_on = self._read.components(dataset, "train_on", block.train_on or [])
            evaluated = self._read.components(dataset, "components", block.components or [])
            attacked = self._read.components(
                dataset, "attack_components", block.attack_components or []
            )
            curve = self._curve(dataset)
            attacks.check(dataset.shape)
            checked_analyses = self._checked_analyses(analyses, dataset, bool(attacks.references))
            for (place, model), (number, heuristics), component, seed in itertools.product(
                enumerate(models), enumerate(combinations), trained_on, block.seeds or []
            ):
                schedule = self._read.schedule()
                files = self._check_recipe(
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
                evaluations = self._evaluations(training, defences, attacks, evaluated, attacked)
                yield PlannedTraining(
                    training,
                    curve.with_component(component),
                    tuple(evaluations),
                    tuple(metrics),
                    tuple(self._analyses(training, defences, attacks, checked_analyses)),
                )

    def _metrics(self, dataset: DatasetKey) -> list[Reference]:
        wanted = self._read.block.metrics or DEFAULT_METRICS[dataset.task]
        references = self._read.references("metric", "metrics", list(wanted))
        for position, reference in enumerate(references):
            try:
                check_task(reference, self._registry.create(reference), dataset)
            except SpecificationError as error:
                raise self._read.error(("metrics", position), error.what, error.hint) from error
        return references

    def _check_applicable(
        self, dataset: DatasetKey, attacks: Sequence[Reference], analyses: Sequence[Reference]
    ) -> None:
        if dataset.task == "classification":
            return
        for key, references in (("attacks", attacks), ("analyses", analyses)):
            try:
                check_nothing_attacked(dataset, references)
            except SpecificationError as error:
                raise self._read.error((key, 0), error.what, error.hint) from error

    def _evaluations(
        self,
        training: TrainingSpecification,
        defences: list[Reference | None],
        attacks: AttackExpansion,
        components: list[ComponentSpecification],
        attacked: list[ComponentSpecification],
    ) -> Iterator[EvaluationSpecification]:
        test_size = training.dataset.test_size
        for defence in defences:
            clean = EvaluationSpecification(
                training, ORIGINAL, defence, samples=self._read.samples("test", test_size)
            )
            for component in components:
                yield replace(clean, component=component)
            under_attack = replace(
                clean, samples=self._read.first_samples(("attack", "test"), test_size)
            )
            yield from attacks.evaluations(under_attack, attacked)

    def _checked_analyses(
        self, references: list[Reference], dataset: DatasetKey, attacks: bool
    ) -> list[tuple[Reference, bool]]:
        """Each analysis with whether it is of attacks."""
        checked = []
        for position, reference in enumerate(references):
            analysis: Analysis = self._registry.create(reference)
            path = ("analyses", position)
            try:
                analysis.check(dataset.shape)
            except SpecificationError as error:
                raise self._read.error(path, error.what, error.hint) from error
            if analysis.attacked and not attacks:
                raise self._read.error(
                    path,
                    f"{reference.label} is about adversarial images; there are no attacks",
                    "name them under 'attacks' with 'epsilons', or by --attack and --epsilon",
                )
            checked.append((reference, analysis.attacked))
        return checked

    def _analyses(
        self,
        training: TrainingSpecification,
        defences: list[Reference | None],
        attacks: AttackExpansion,
        analyses: list[tuple[Reference, bool]],
    ) -> Iterator[AnalysisSpecification]:
        size = training.dataset.test_size
        for defence, (reference, attacked) in itertools.product(defences, analyses):
            samples = self._read.first_samples(("analysis", "attack", "test"), size)
            if not attacked:
                samples = self._read.first_samples(("analysis", "test"), size)
            plain = AnalysisSpecification(training, reference, defence, samples=samples)
            if not attacked:
                yield plain
                continue
            for attack, epsilon in itertools.product(attacks.references, attacks.epsilons):
                yield replace(plain, attack=attack, epsilon=epsilon)

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

    def _check_recipe(
        self,
        dataset: DatasetKey,
        model: Reference,
        model_path: Path,
        heuristics: tuple[Reference, ...],
        heuristics_path: Path,
        schedule: Schedule,
    ) -> str | None:
        """Returns the sha256 of the files that the model's parameters name, if there are any."""
        path = heuristics_path
        try:
            parts = [self._registry.create(item) for item in heuristics]
            recipe = configured(schedule, parts)
            path = ("schedule",) if not heuristics else heuristics_path
            check_optimizer(recipe.schedule.optimizer, recipe.schedule.optimizer_options)
            if dataset.task == "detection":
                check_learnable(heuristics, parts, recipe, dataset)
            path = model_path
            built: Model | Detector = self._registry.create(model)
            check_task(model, built, dataset)
            return self._check_model(built, dataset, recipe)
        except SpecificationError as error:
            raise self._read.error(path, error.what, error.hint) from error

    def _check_model(
        self, model: Model | Detector, dataset: DatasetKey, recipe: Recipe
    ) -> str | None:
        if is_detector(model):
            model.check(dataset.class_names)
            return model.files_sha256(self._datasets.location)
        model.check(dataset.shape, dataset.classes, recipe.options)
        return None

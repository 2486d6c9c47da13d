"""From a checked suite to complete specifications: every name resolved, every value in range."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from hfcbench.errors import SpecificationError
from hfcbench.optimizers import check_optimizer
from hfcbench.references import Kind, Reference, parse_label, split_combination
from hfcbench.registry import Registry
from hfcbench.runner.data_paths import stays_below
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
    BlockSchema,
    Combination,
    Named,
    evaluation_count,
    merged,
)
from hfcbench.runner.tasks import CurvePlan
from hfcbench.types import DataLocation, Decomposition, Heuristic, Model, Recipe, Schedule

if TYPE_CHECKING:
    from hfcbench.quantities import Analysis

NO_HEURISTIC = "vanilla"
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
        expansion = _BlockExpansion(file, index, block, registry, datasets)
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
    def __init__(
        self,
        file: SuiteFile,
        index: int,
        block: BlockSchema,
        registry: Registry,
        datasets: KnownDatasets,
    ) -> None:
        self._file = file
        self._index = index
        self._block = block
        self._registry = registry
        self._datasets = datasets
        if not block.models:
            raise file.error(("blocks", index), "the key 'models' is missing")

    def trainings(self) -> Iterator[PlannedTraining]:
        block = self._block
        metrics = self._references("metric", "metrics", block.metrics or [])
        defences = [
            None if item == NO_DEFENCE else self._reference("defence", item, ("defences", position))
            for position, item in enumerate(block.defences or [])
        ]
        attacks = self._references("attack", "attacks", block.attacks or [])
        analyses = self._references("analysis", "analyses", block.analyses or [])
        if attacks and not block.epsilons:
            raise self._error(("attacks",), "attacks need epsilons; there are none")
        models = self._references("model", "models", block.models or [])
        combinations = [
            self._combination(item, ("heuristics", position))
            for position, item in enumerate(block.heuristics or [])
        ]
        for position, item in enumerate(block.datasets or []):
            dataset = self._dataset(item, ("datasets", position))
            trained_on = self._components(dataset, "train_on", block.train_on or [])
            evaluated = self._components(dataset, "components", block.components or [])
            attacked = self._components(dataset, "attack_components", block.attack_components or [])
            curve = self._curve(dataset)
            attacked_analyses = self._checked_analyses(analyses, dataset, bool(attacks))
            for (place, model), (number, heuristics), component, seed in itertools.product(
                enumerate(models), enumerate(combinations), trained_on, block.seeds or []
            ):
                schedule = self._schedule()
                self._check_recipe(
                    dataset, model, ("models", place), heuristics, ("heuristics", number), schedule
                )
                training = TrainingSpecification(
                    dataset,
                    component,
                    model,
                    heuristics,
                    schedule,
                    seed,
                    self._samples("train", dataset.train_size),
                    self._file.suite.scale,
                )
                evaluations = self._evaluations(training, defences, attacks, evaluated, attacked)
                yield PlannedTraining(
                    training,
                    curve.with_component(component),
                    tuple(evaluations),
                    tuple(metrics),
                    tuple(self._analyses(training, defences, attacks, attacked_analyses)),
                )

    def _evaluations(
        self,
        training: TrainingSpecification,
        defences: list[Reference | None],
        attacks: list[Reference],
        components: list[ComponentSpecification],
        attacked: list[ComponentSpecification],
    ) -> Iterator[EvaluationSpecification]:
        test_size = training.dataset.test_size
        for defence in defences:
            clean = EvaluationSpecification(
                training, ORIGINAL, defence, samples=self._samples("test", test_size)
            )
            for component in components:
                yield replace(clean, component=component)
            under_attack = replace(clean, samples=self._samples_as(("attack", "test"), test_size))
            for attack, epsilon, component in itertools.product(
                attacks, self._block.epsilons or [], attacked
            ):
                yield replace(under_attack, attack=attack, epsilon=epsilon, component=component)

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
                raise self._error(path, error.what, error.hint) from error
            if analysis.attacked and not attacks:
                raise self._error(
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
        attacks: list[Reference],
        analyses: list[tuple[Reference, bool]],
    ) -> Iterator[AnalysisSpecification]:
        size = training.dataset.test_size
        for defence, (reference, attacked) in itertools.product(defences, analyses):
            samples = self._samples_as(("analysis", "attack", "test"), size)
            if not attacked:
                samples = self._samples_as(("analysis", "test"), size)
            plain = AnalysisSpecification(training, reference, defence, samples=samples)
            if not attacked:
                yield plain
                continue
            for attack, epsilon in itertools.product(attacks, self._block.epsilons or []):
                yield replace(plain, attack=attack, epsilon=epsilon)

    def _schedule(self) -> Schedule:
        given = self._block.schedule
        return Schedule(**given.model_dump(exclude_none=True)) if given else Schedule()

    def _samples(self, name: str, size: int) -> int | None:
        """How many images of a split are used; None for all, however that was said."""
        value: int | None = getattr(self._block.samples, name, None)
        return None if value == size else value

    def _samples_as(self, names: Sequence[str], size: int) -> int | None:
        """The first of these numbers that is given."""
        for name in names:
            if getattr(self._block.samples, name, None) is not None:
                return self._samples(name, size)
        return None

    def _curve(self, dataset: DatasetKey) -> CurvePlan:
        curves = self._block.curves
        if curves is None:
            return CurvePlan()
        components = self._components(
            dataset, "curves", curves.components or [], inside=("components",)
        )
        return CurvePlan(tuple(components), curves.samples)

    def _dataset(self, item: Named, path: Path) -> DatasetKey:
        reference = self._reference("dataset", item, path)
        key = self._datasets.key(reference)
        sizes = dict.fromkeys(("test", "attack", "analysis"), key.test_size)
        sizes["train"] = key.train_size
        for split, size in sizes.items():
            wanted = self._samples(split, size)
            if wanted is not None and wanted > size:
                raise self._error(
                    ("samples", split),
                    f"{wanted} images are asked for, {reference.label} has {size}",
                )
        return key

    def _combination(self, item: Combination, path: Path) -> tuple[Reference, ...]:
        members: list[Named] = []
        for member in item if isinstance(item, list) else [item]:
            members.extend(split_combination(member) if isinstance(member, str) else [member])
        return tuple(
            self._reference("heuristic", member, path)
            for member in members
            if member != NO_HEURISTIC
        )

    def _check_recipe(
        self,
        dataset: DatasetKey,
        model: Reference,
        model_path: Path,
        heuristics: tuple[Reference, ...],
        heuristics_path: Path,
        schedule: Schedule,
    ) -> None:
        recipe = Recipe(schedule=schedule)
        path = heuristics_path
        try:
            for reference in heuristics:
                heuristic: Heuristic = self._registry.create(reference)
                recipe = heuristic.configure(recipe)
            path = ("schedule",) if not heuristics else heuristics_path
            check_optimizer(recipe.schedule.optimizer, recipe.schedule.optimizer_options)
            path = model_path
            built: Model = self._registry.create(model)
            built.check(dataset.shape, dataset.classes, recipe.options)
        except SpecificationError as error:
            raise self._error(path, error.what, error.hint) from error

    def _components(
        self, dataset: DatasetKey, key: str, texts: list[str], inside: Path = ()
    ) -> list[ComponentSpecification]:
        return [
            self._component(dataset, text, (key, *inside, position))
            for position, text in enumerate(texts)
        ]

    def _component(self, dataset: DatasetKey, text: str, path: Path) -> ComponentSpecification:
        if text == "original":
            return ORIGINAL
        reference = self._reference(
            "decomposition", self._block.decomposition or "", ("decomposition",)
        )
        decomposition: Decomposition = self._registry.create(reference)
        part, separator, cutoff_text = text.partition("@")
        if not separator or part not in decomposition.parts:
            examples = " or ".join(f"'{name}@...'" for name in decomposition.parts)
            raise self._error(
                path,
                f"'{text}' is no component; with {reference.label} it is 'original', {examples}",
            )
        try:
            cutoff = decomposition.parse(cutoff_text)
            decomposition.check(cutoff, dataset.shape)
        except SpecificationError as error:
            raise self._error(path, f"'{text}': {error.what}", error.hint) from error
        return ComponentSpecification(
            part, decomposition.parts.index(part), cutoff, reference, self._block.rescaling
        )

    def _references(self, kind: Kind, key: str, items: list[Named]) -> list[Reference]:
        return [self._reference(kind, item, (key, position)) for position, item in enumerate(items)]

    def _reference(self, kind: Kind, item: Named, path: Path) -> Reference:
        try:
            if isinstance(item, str):
                reference = self._registry.resolve(kind, *parse_label(item))
            else:
                ((name, parameters),) = item.items()
                reference = self._registry.resolve(kind, name, parameters or {})
        except SpecificationError as error:
            raise self._error(path, error.what, error.hint) from error
        self._check_paths(reference, self._origin(path))
        return reference

    def _check_paths(self, reference: Reference, origin: Path) -> None:
        """Refuse paths out of the data root that a file asks for; users may name any themselves."""
        schema = self._registry.get(reference.kind, reference.name).schema
        for name, text in schema.paths(reference.parameters):
            location = self._datasets.location
            own_word = self._file.is_overridden((*origin, reference.name, name))
            if own_word or stays_below(location, text):
                continue
            raise self._file.error(
                origin,
                f"the path '{text}' leads out of the data root "
                f"({location.root or 'the working folder'})",
                "suites may only name what lies below it; if you want this one, say "
                f"--{reference.kind} {shlex.quote(reference.label)}, or --data-root with a folder "
                "above it",
            )

    def _origin(self, path: Path) -> Path:
        """Where a value was said: by the block or by the whole suite, at this scale or at any."""
        suite = self._file.suite
        block = suite.blocks[self._index]
        layers: list[tuple[Path, BlockSchema | None]] = [
            (("blocks", self._index, "quick"), block.quick if suite.scale == "quick" else None),
            (("blocks", self._index), block),
            (("quick",), suite.quick if suite.scale == "quick" else None),
        ]
        for place, layer in layers:
            # What the command line replaced is gone from here.
            if layer is not None and getattr(layer, str(path[0]), None) is not None:
                return (*place, *path)
        return path

    def _error(self, path: Path, problem: str, hint: str | None = None) -> SpecificationError:
        """The complaint at the line that says what is wrong."""
        return self._file.error(self._origin(path), problem, hint)

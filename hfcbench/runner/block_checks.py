"""Whether what one block of a suite names goes together, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.detection_types import Detector, is_detector
from hfcbench.errors import SpecificationError
from hfcbench.optimizers import check_optimizer
from hfcbench.recipes import configured
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.block_reader import BlockReader
from hfcbench.runner.detector_checks import check_learnable, check_nothing_attacked, check_task
from hfcbench.runner.specification import DatasetKey
from hfcbench.runner.suite_file import Path
from hfcbench.runner.suite_schema import DEFAULT_METRICS
from hfcbench.types import DataLocation, Model, Recipe, Schedule

if TYPE_CHECKING:
    from hfcbench.quantities import Analysis


class BlockChecks:
    """Creates the parts of a block and asks them; complaints have the line that is wrong.

    Every method raises SpecificationError for what cannot be run.

    Args:
        location: where the files that models name lie.
    """

    def __init__(self, reader: BlockReader, registry: Registry, location: DataLocation) -> None:
        self._read = reader
        self._registry = registry
        self._location = location
        self._files: dict[str, str | None] = {}

    def metrics(self, dataset: DatasetKey) -> list[Reference]:
        """The metrics of the block, or those that a dataset of this task has by default."""
        wanted = self._read.block.metrics or DEFAULT_METRICS[dataset.task]
        references = self._read.references("metric", "metrics", list(wanted))
        for position, reference in enumerate(references):
            try:
                check_task(reference, self._registry.create(reference), dataset)
            except SpecificationError as error:
                raise self._read.error(("metrics", position), error.what, error.hint) from error
        return references

    def applicable(
        self, dataset: DatasetKey, attacks: Sequence[Reference], analyses: Sequence[Reference]
    ) -> None:
        """Refuse attacks and analyses of detectors."""
        if dataset.task == "classification":
            return
        for key, references in (("attacks", attacks), ("analyses", analyses)):
            try:
                check_nothing_attacked(dataset, references)
            except SpecificationError as error:
                raise self._read.error((key, 0), error.what, error.hint) from error

    def analyses(
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

    def recipe(
        self,
        dataset: DatasetKey,
        model: Reference,
        model_path: Path,
        heuristics: tuple[Reference, ...],
        heuristics_path: Path,
        schedule: Schedule,
    ) -> str | None:
        """Check a training; returns the sha256 of the files that its model's parameters name."""
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
            return self._model(model, built, dataset, recipe)
        except SpecificationError as error:
            raise self._read.error(path, error.what, error.hint) from error

    def _model(
        self, reference: Reference, model: Model | Detector, dataset: DatasetKey, recipe: Recipe
    ) -> str | None:
        if not is_detector(model):
            model.check(dataset.shape, dataset.classes, recipe.options)
            return None
        model.check(dataset.class_names)
        # Weights are large: they are read once for all trainings of a block.
        if reference.label not in self._files:
            self._files[reference.label] = model.files_sha256(self._location)
        return self._files[reference.label]

"""What of a suite does not apply to detectors, said before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hfcbench.errors import SpecificationError
from hfcbench.references import Reference
from hfcbench.runner.specification import DatasetKey
from hfcbench.types import Heuristic, ModelOptions, Recipe, task_of

_OF_CLASSIFICATION = ("relabel", "label_order", "transform", "loss")


def check_task(reference: Reference, part: object, dataset: DatasetKey) -> None:
    """Raise SpecificationError if a model or metric is for another task than the dataset."""
    task = task_of(part)
    if task != dataset.task:
        raise SpecificationError(
            f"{reference.kind} '{reference.label}' is for {task}, "
            f"dataset '{dataset.title}' for {dataset.task}"
        )


def check_learnable(
    references: Sequence[Reference],
    heuristics: Sequence[Heuristic],
    recipe: Recipe,
    dataset: DatasetKey,
) -> None:
    """Raise SpecificationError if a detector cannot be trained on this dataset in this way.

    Heuristics that change optimizer and batch size are for detectors too. Others change labels,
    images or losses of classification, or layers that detectors do not have.
    """
    for reference, heuristic in zip(references, heuristics, strict=True):
        changed = [
            name
            for name in _OF_CLASSIFICATION
            if getattr(type(heuristic), name) is not getattr(Heuristic, name)
        ]
        layers = heuristic.configure(Recipe()).options != ModelOptions()
        if changed or layers:
            raise SpecificationError(
                f"heuristic '{reference.label}' is for classification; detectors are trained "
                "with those that change optimizer or batch size only"
            )
    if recipe.schedule.augmentation == "crop-flip":
        raise SpecificationError(
            "augmentation 'crop-flip' is for classification; 'flip' mirrors pictures and boxes"
        )
    if recipe.schedule.precision != "float32":
        raise SpecificationError(
            f"precision '{recipe.schedule.precision}' is for classification; detectors are trained "
            "in float32"
        )
    if recipe.schedule.epochs and not dataset.train_size:
        raise SpecificationError(
            f"dataset '{dataset.title}' has no pictures to train on",
            hint="name a split to train on in its parameters, or say --epochs 0 for a detector "
            "that is trained already",
        )


def check_nothing_attacked(dataset: DatasetKey, references: Iterable[Reference]) -> None:
    """Raise SpecificationError for attacks and analyses, which are of classifiers."""
    for reference in references:
        raise SpecificationError(
            f"{reference.kind} '{reference.label}' is for classification, "
            f"dataset '{dataset.title}' for detection"
        )

"""What the outputs of a detector stand for, and which of them each class of a dataset is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.errors import SpecificationError, nearest
from hfcbench_detectron2.library import CfgNode, MetadataCatalog

if TYPE_CHECKING:
    from hfcbench_detectron2.detector import Detectron2


@dataclass(frozen=True)
class Outputs:
    """How many classes a network tells, and which of them each class of a dataset is."""

    count: int
    of_classes: tuple[int, ...]

    @property
    def all_are_classes(self) -> bool:
        return len(self.of_classes) == self.count


def outputs_of(detector: Detectron2, cfg: CfgNode, classes: Sequence[str]) -> Outputs:
    """The outputs of a detector for a dataset.

    Raises:
        SpecificationError: there are classes that its weights do not know by name.
    """
    names = _names(detector, cfg)
    if names is None:
        return Outputs(len(classes), tuple(range(len(classes))))
    unknown = [name for name in classes if name not in names]
    if not unknown:
        return Outputs(len(names), tuple(names.index(name) for name in classes))
    few = ", ".join(f"'{name}'" for name in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    raise SpecificationError(
        f"the weights of {detector} do not know {len(unknown)} of the dataset's "
        f"{len(classes)} classes: {few}; {nearest(unknown[0], names)}",
        hint="name the dataset's classes as the weights do, or train a detector for them",
    )


def _names(detector: Detectron2, cfg: CfgNode) -> list[str] | None:
    """The class that each output stands for; None are those of the dataset, whatever they are."""
    listed = detector.weights_classes
    if detector.weights == "none" or (detector.weights != "zoo" and listed == "dataset"):
        return None
    if not isinstance(listed, str):
        return list(listed)
    datasets = (*cfg.DATASETS.TEST, *cfg.DATASETS.TRAIN)
    for name in datasets:
        names = MetadataCatalog.get(name).get("thing_classes")
        if names is not None:
            return list(names)
    raise SpecificationError(
        f"{detector} is trained on {', '.join(datasets) or 'nothing'}, whose classes detectron2 "
        "does not know",
        hint="weights_classes=[...] says what the outputs stand for",
    )

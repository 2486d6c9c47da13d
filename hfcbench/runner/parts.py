"""Objects from what specifications say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.recording import label_of
from hfcbench.runner.specification import (
    ComponentSpecification,
    EvaluationSpecification,
    TrainingSpecification,
)
from hfcbench.types import Heuristic

if TYPE_CHECKING:
    from hfcbench.evaluation.cells import Cell
    from hfcbench.frequency.components import Component
    from hfcbench.runner.tasks import CurvePlan
    from hfcbench.training.job import CurveView


@dataclass(frozen=True)
class Parts:
    """Makes the parts of trainings and evaluations from a registry."""

    registry: Registry

    def made(self, reference: Reference | None) -> Any:
        """The object; None where there is no reference."""
        return None if reference is None else self.registry.create(reference)

    def heuristics(self, training: TrainingSpecification) -> tuple[Heuristic, ...]:
        """The heuristics of a training, in order."""
        return tuple(self.registry.create(reference) for reference in training.heuristics)

    def component(self, specification: ComponentSpecification) -> Component:
        """What is cut out of images."""
        from hfcbench.frequency.components import ORIGINAL, Component

        if specification.decomposition is None:
            return ORIGINAL
        return Component(
            self.registry.create(specification.decomposition),
            specification.part_index,
            specification.cutoff,
            specification.rescaling,  # type: ignore[arg-type]
        )

    def views(self, curve: CurvePlan) -> tuple[CurveView, ...]:
        """What a curve measures; the keys are positions in its components."""
        from hfcbench.training.job import CurveView

        return tuple(
            CurveView(self.component(component), str(index))
            for index, component in enumerate(curve.components)
        )

    def cell(self, specification: EvaluationSpecification) -> Cell:
        """The condition of an evaluation; its key is the identity."""
        from hfcbench.evaluation.cells import UNSEARCHED, Cell

        return Cell(
            key=specification.identity,
            component=self.component(specification.component),
            defence=self.made(specification.defence),
            defence_key=label_of(specification.defence),
            attack=self.made(specification.attack),
            attack_key=label_of(specification.attack),
            epsilon=specification.epsilon,
            samples=specification.samples,
            search=specification.search or UNSEARCHED,
        )

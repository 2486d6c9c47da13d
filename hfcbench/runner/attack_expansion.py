"""The attacked evaluations of a block: which searches each attack, mode and epsilon asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from hfcbench.attack_types import AttackMode, Search
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.block_reader import BlockReader
from hfcbench.runner.specification import (
    ORIGINAL,
    ComponentSpecification,
    EvaluationSpecification,
)

if TYPE_CHECKING:
    from hfcbench.attack_types import Attack
    from hfcbench.types import ImageShape

EvaluationCondition: TypeAlias = partial[EvaluationSpecification]
"""An evaluation of any training: all that trainings share is made once for all of them."""


@dataclass(frozen=True)
class AttackExpansion:
    """The attacks of a block.

    Raises:
        SpecificationError: when made, attacks without epsilons.
    """

    read: BlockReader
    registry: Registry
    references: tuple[Reference, ...]

    def __post_init__(self) -> None:
        if self.references and not self.read.block.epsilons:
            raise self.read.error(("attacks",), "attacks need epsilons; there are none")

    @property
    def epsilons(self) -> list[float]:
        return sorted(set(self.read.block.epsilons or []))

    def check(self, shape: ImageShape) -> None:
        """Whether every epsilon is one in pixel units of [0,1].

        Raises:
            SpecificationError: an epsilon that reaches beyond any image, as 8 for 8/255 does.
        """
        attacks: list[Attack] = [self.registry.create(item) for item in self.references]
        mixed = len({attack.norm for attack in attacks}) > 1
        for reference, attack in zip(self.references, attacks, strict=True):
            most = 1.0
            if attack.norm == "l2":
                most = (shape.channels * shape.height * shape.width) ** 0.5
            for position, epsilon in enumerate(self.read.block.epsilons or []):
                if epsilon > most:
                    raise self.read.error(
                        ("epsilons", position),
                        f"epsilon {epsilon:g} of {reference.label} is larger than any image: "
                        f"in pixel units of [0,1] no {attack.norm} distance exceeds {most:g}",
                        "put attacks of another norm into a block of their own"
                        if mixed
                        else f"divide by 255 if you mean 8-bit pixels: {epsilon / 255:.4g}",
                    )

    def conditions(
        self,
        defence: Reference | None,
        samples: int | None,
        components: list[ComponentSpecification],
    ) -> Iterator[EvaluationCondition]:
        """Every attacked evaluation of a model under a defence.

        Args:
            samples: how many images are attacked.
            components: what is cut out of adversarial images.
        """
        modes: list[AttackMode] = list(self.read.block.attack_modes or [])
        if defence is None:
            # Nothing to know or not to know.
            modes = ["adaptive"]
        for reference, mode, epsilon, component in itertools.product(
            self.references, modes, self.epsilons, components
        ):
            yield partial(
                EvaluationSpecification,
                component=component,
                defence=defence,
                attack=reference,
                epsilon=epsilon,
                samples=samples,
                search=self._search(reference, mode, epsilon, component),
            )

    def _search(
        self,
        reference: Reference,
        mode: AttackMode,
        epsilon: float,
        component: ComponentSpecification,
    ) -> Search:
        attack: Attack = self.registry.create(reference)
        precision = self.read.block.attack_precision or "float32"
        if attack.exact:
            return Search("exact", mode)
        # A search ends where the model that it watches is wrong: that says nothing about other
        # models, nor about what is cut out of the image.
        watched = mode != "transfer" and component == ORIGINAL
        if self.read.block.criterion == "full" or not watched:
            return Search("full", mode, precision)
        smaller = tuple(value for value in self.epsilons if value < epsilon)
        return Search("worst-case", mode, precision, smaller)

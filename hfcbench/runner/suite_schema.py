"""What a suite file may say.

A suite describes blocks; each block is the full matrix of its lists. What a block leaves out it
takes from the top level, and what that leaves out from :data:`DEFAULTS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic
from annotated_types import Ge, Gt, Interval, MinLen

from hfcbench.attack_types import AttackMode
from hfcbench.types import Augmentation, Precision, Rescaling, Task

Named = (
    str | Annotated[dict[str, dict[str, Any] | None], pydantic.Field(min_length=1, max_length=1)]
)
"""A plugin's part: ``pgd``, or ``{pgd: {steps: 40}}`` with parameters."""

Combination = Named | list[Named]
"""Heuristics that are applied together: ``vanilla``, one, or a list of several."""


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScheduleSchema(_Strict):
    """Any part of :class:`hfcbench.types.Schedule`."""

    epochs: Annotated[int, Ge(0)] | None = None
    batch_size: Annotated[int, Ge(1)] | None = None
    optimizer: str | None = None
    learning_rate: Annotated[float, Gt(0)] | None = None
    optimizer_options: dict[str, pydantic.JsonValue] | None = None
    augmentation: Augmentation | None = None
    precision: Precision | None = None


class SamplesSchema(_Strict):
    """How many images are used of each split; all of them where nothing is said.

    ``attack`` and ``analysis`` are of the test split, and are as ``test`` where they are not said.
    """

    train: Annotated[int, Ge(1)] | None = None
    test: Annotated[int, Ge(1)] | None = None
    attack: Annotated[int, Ge(1)] | None = None
    analysis: Annotated[int, Ge(1)] | None = None


class CurvesSchema(_Strict):
    """What is measured after every epoch, on how many images a split."""

    components: list[str] | None = None
    samples: Annotated[int, Ge(1)] | None = None


class BlockSchema(_Strict):
    """One matrix of trainings, each with one matrix of evaluations."""

    datasets: Annotated[list[Named], MinLen(1)] | None = None
    models: Annotated[list[Named], MinLen(1)] | None = None
    heuristics: Annotated[list[Combination], MinLen(1)] | None = None
    train_on: Annotated[list[str], MinLen(1)] | None = None
    seeds: Annotated[list[Annotated[int, Interval(ge=0, lt=2**31)]], MinLen(1)] | None = None
    schedule: ScheduleSchema | None = None
    samples: SamplesSchema | None = None
    curves: CurvesSchema | None = None
    decomposition: Named | None = None
    rescaling: Rescaling | None = None
    components: list[str] | None = None
    defences: Annotated[list[Named], MinLen(1)] | None = None
    attacks: list[Named] | None = None
    epsilons: list[Annotated[float, Ge(0)]] | None = None
    attack_components: list[str] | None = None
    attack_modes: Annotated[list[AttackMode], MinLen(1)] | None = None
    criterion: Literal["worst-case", "full"] | None = None
    attack_precision: Precision | None = None
    metrics: Annotated[list[Named], MinLen(1)] | None = None
    analyses: list[Named] | None = None


class FullBlockSchema(BlockSchema):
    """A block as a file says it; what ``quick`` holds replaces the rest at the quick scale."""

    quick: BlockSchema | None = None


class SuiteSchema(FullBlockSchema):
    """A whole suite file: blocks of its own, or other suites that it includes.

    ``scale: quick`` marks one that is too small to publish.
    """

    title: str
    description: str = ""
    scale: Literal["full", "quick"] = "full"
    blocks: list[FullBlockSchema] = []
    includes: list[str] = []

    @pydantic.model_validator(mode="after")
    def _either(self) -> SuiteSchema:
        if bool(self.blocks) == bool(self.includes):
            raise ValueError("a suite has either the key 'blocks' or the key 'includes'")
        beside = self.model_fields_set - {"title", "description", "includes"}
        if self.includes and beside:
            raise ValueError(f"a suite with 'includes' cannot hold '{min(beside)}' of its own")
        return self


DEFAULTS = BlockSchema(
    datasets=["photo-patches"],
    heuristics=["vanilla"],
    train_on=["original"],
    seeds=[0],
    schedule=ScheduleSchema(),
    samples=SamplesSchema(),
    curves=CurvesSchema(components=["original"]),
    decomposition="fft-radial",
    rescaling="none",
    components=["original"],
    defences=["none"],
    attacks=[],
    epsilons=[],
    attack_components=["original"],
    attack_modes=["adaptive"],
    criterion="worst-case",
    attack_precision="float32",
    analyses=[],
)

DEFAULT_METRICS: Mapping[Task, Sequence[Named]] = {
    "classification": ["top1", "loss"],
    "detection": ["map", "ap50", "ap75", "map-small", "map-medium", "map-large"],
}
"""What a block without metrics measures, by what its datasets are for."""

_NESTED = ("schedule", "samples", "curves")


def merged(block: FullBlockSchema, suite: SuiteSchema) -> BlockSchema:
    """The block with what it leaves out taken from the suite, then from the defaults.

    At the quick scale the ``quick`` part of each layer counts before the layer itself.
    """
    layers: list[BlockSchema] = [DEFAULTS]
    for layer in (suite, block):
        layers.append(layer)
        if suite.scale == "quick" and layer.quick is not None:
            layers.append(layer.quick)
    values: dict[str, Any] = {}
    for name in BlockSchema.model_fields:
        given = [getattr(layer, name) for layer in layers if getattr(layer, name) is not None]
        if name in _NESTED:
            combined: dict[str, Any] = {}
            for layer in given:
                combined.update(layer.model_dump(exclude_none=True))
            values[name] = combined
        elif given:
            values[name] = given[-1]
    return BlockSchema.model_validate(values)


def evaluation_count(block: BlockSchema) -> int:
    """At most how many evaluations and analyses the matrix of a merged block has."""
    trainings = _product(block.datasets, block.models, block.heuristics, block.train_on)
    searches = (block.attacks, block.epsilons, block.attack_components, block.attack_modes)
    attacked = _product(*searches)
    analysed = _product(block.analyses) * max(1, _product(block.attacks, block.epsilons))
    conditions = _product(block.components) + attacked + analysed
    return trainings * _product(block.seeds) * _product(block.defences) * conditions


def _product(*lists: Sequence[object] | None) -> int:
    return math.prod(len(items or ()) for items in lists)

"""What a suite file may say.

A suite describes blocks; each block is the full matrix of its lists. What a block leaves out it
takes from the top level, and what that leaves out from :data:`DEFAULTS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pydantic
from annotated_types import Ge, Gt, Interval, MinLen

from hfcbench.types import Augmentation, Rescaling

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


class SamplesSchema(_Strict):
    """How many images are used of each split; all of them where nothing is said."""

    train: Annotated[int, Ge(1)] | None = None
    test: Annotated[int, Ge(1)] | None = None
    attack: Annotated[int, Ge(1)] | None = None


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
    components: Annotated[list[str], MinLen(1)] | None = None
    defences: Annotated[list[Named], MinLen(1)] | None = None
    attacks: list[Named] | None = None
    epsilons: list[Annotated[float, Ge(0)]] | None = None
    attack_components: Annotated[list[str], MinLen(1)] | None = None
    metrics: Annotated[list[Named], MinLen(1)] | None = None


class SuiteSchema(BlockSchema):
    """A whole suite file; ``scale: quick`` marks one that is too small to publish."""

    title: str
    description: str = ""
    scale: Literal["full", "quick"] = "full"
    blocks: Annotated[list[BlockSchema], MinLen(1)]


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
    metrics=["top1", "loss"],
)

_NESTED = ("schedule", "samples", "curves")


def merged(block: BlockSchema, suite: SuiteSchema) -> BlockSchema:
    """The block with what it leaves out taken from the suite, then from the defaults."""
    values: dict[str, Any] = {}
    for name in BlockSchema.model_fields:
        layers = [getattr(layer, name) for layer in (DEFAULTS, suite, block)]
        given = [layer for layer in layers if layer is not None]
        if name in _NESTED:
            combined: dict[str, Any] = {}
            for layer in given:
                combined.update(layer.model_dump(exclude_none=True))
            values[name] = combined
        elif given:
            values[name] = given[-1]
    return BlockSchema.model_validate(values)


def evaluation_count(block: BlockSchema) -> int:
    """How many evaluations the matrix of a merged block has, before equal ones are counted once."""
    trainings = _product(block.datasets, block.models, block.heuristics, block.train_on)
    attacked = _product(block.attacks, block.epsilons, block.attack_components)
    conditions = _product(block.defences) * (_product(block.components) + attacked)
    return trainings * _product(block.seeds) * conditions


def _product(*lists: Sequence[object] | None) -> int:
    return math.prod(len(items or ()) for items in lists)
